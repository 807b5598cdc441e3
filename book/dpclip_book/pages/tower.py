"""The image tower as ONNX, for a page that ranks photos without a server.

Weights are kept in 16 bits and computed with in 32. In 8 bits, half the size, distances moved so far that the first
five photos of some sketches changed their order.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from dpclip.evaluation.evaluate import Bench
from dpclip.evaluation.prompt_similarity import prompt_similarity
from dpclip.method.model import DPCLIP, Context

INPUTS, OUTPUTS = ("sketch", "prompts", "scales"), ("features", "heatmap")
LARGE = 1024  # numbers; smaller tensors stay in 32 bits


class Tower(nn.Module):
    """One sketch under one category's context, from its grey levels to what a ranking needs."""

    def __init__(self, model: DPCLIP):
        super().__init__()
        self.model = model

    def forward(self, sketch: Tensor, prompts: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
        """sketch (1, 1, S, S) in [0, 1], prompts (M, K, D), scales (M, 2, r) -> features (1+W, E), each of length 1,
        the global one first; and the prompt similarity (g, g), averaged over layers.
        """
        context = Context(list(prompts.unbind()), list(scales.unbind()))
        images = self.model.normalise(sketch.expand(-1, 3, -1, -1))
        features = self.model.encode(images, context, intermediates=True)
        steps, depth = features.intermediates, self.model.backbone.depth
        length = steps["tokens"].shape[1]  # 1+N
        entering = [steps[f"layer_{m + 1}_in"] for m in range(depth)]  # (1, 1+N+K, D) each
        maps = torch.stack([prompt_similarity(x[:, length:], x[:, :length]) for x in entering])  # (M, 1, g, g)
        return F.normalize(features.levels(), dim=-1)[0], maps.mean(0)[0]


def stacked(context: Context) -> tuple[Tensor, Tensor]:
    """A context as two tensors: prompts (M, K, D) and scales (M, 2, r)."""
    return torch.stack(context.prompts), torch.stack(context.scales)


def export_tower(bench: Bench, context: Context) -> bytes:
    """The ONNX file of a trained model whose every layer has prompts and scales; `context` gives their shapes."""
    example = torch.ones(1, 1, bench.model.image_size, bench.model.image_size)
    prompts, scales = (part.clone() for part in stacked(context))  # no longer of inference mode, which cannot be traced
    program = torch.onnx.export(
        Tower(bench.model).eval(),
        (example, prompts, scales),
        input_names=INPUTS,
        output_names=OUTPUTS,
        dynamo=True,
        verbose=False,
    )
    return halved(program.model_proto)


def halved(model: onnx.ModelProto) -> bytes:
    """The same model with its large weights in 16 bits, and without the exporter's notes, which name files of this
    machine.
    """
    graph, weights, casts = model.graph, [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE:
            weights.append(weight)
            continue
        short = f"{weight.name}.half"
        weights.append(numpy_helper.from_array(values.astype(np.float16), short))
        casts.append(helper.make_node("Cast", [short], [weight.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    for holder in (model, graph, *nodes, *graph.input, *graph.output, *model.functions):
        holder.ClearField("doc_string")
        holder.ClearField("metadata_props")
    kept = helper.make_graph([*casts, *nodes], graph.name, graph.input, graph.output, weights)
    small = helper.make_model(kept, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(small)
    return small.SerializeToString()
