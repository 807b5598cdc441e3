"""The text features of a data set's categories: encoded once, then read from a file."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.func import functional_call

from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes
from dpclip.method.backbone import Backbone
from dpclip.method.interface import Method
from dpclip.method.templates import sentences


def text_table(model: Method, text: dict[str, str], folder: Path) -> dict[str, Tensor | None]:
    """`text`, category -> words, to category -> t_c (E,) on the model's device; all None for a model without words.
    Kept in `folder`, in one safetensors file for the same categories, sentences, text tower, kind of device,
    precision and torch. Raises UserError when the file is damaged, or the folder cannot be written.
    """
    if not model.on_backbone:
        return dict.fromkeys(text)
    templates, device, tower = model.config.templates, model.backbone.proj.device, tower_hash(model.backbone)
    texts = [sentence for words in text.values() for sentence in sentences(words, templates)]
    identity = [text, texts, tower, device.type, torch.get_float32_matmul_precision(), torch.__version__]
    path = Path(folder) / f"words-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]}.safetensors"
    if path.exists():
        features = _read(path)
    else:
        console = Console(stderr=True)
        shown = track(text.values(), "encoding words", console=console, transient=True, disable=not console.is_terminal)
        features = torch.stack([word_feature(model, words) for words in shown]).cpu()  # (C, E)
        about = {"templates": str(templates), "tower": tower, "words": json.dumps(text), "sha256": _digest(features)}
        atomic_write_bytes(path, save({"features": features}, about))
    return dict(zip(text, features.to(device), strict=True))


@torch.no_grad()
def word_feature(model: Method, words: str) -> Tensor | None:
    """t_c (E,) of any words on the model's device, None for a model without words: `Backbone.text_feature`, but a token
    looks only at those before it, so nothing is computed behind the longest sentence.
    """
    if not model.on_backbone:
        return None
    backbone, clip, texts = model.backbone, model.backbone.clip, sentences(words, model.config.templates)
    length = min(2 + max(len(backbone.tokenizer.encode(text)) for text in texts), backbone.context_length)
    cut = {"positional_embedding": clip.positional_embedding[:length], "attn_mask": clip.attn_mask[:length, :length]}
    tokens = backbone.tokenizer(texts, context_length=length).to(backbone.proj.device)
    return functional_call(clip, cut, kwargs={"text": tokens})[1].mean(0)


def tower_hash(backbone: Backbone) -> str:
    """SHA-256 of what turns a sentence into its feature: the text tower's weights and form, and the vocabulary."""
    clip, blocks = backbone.clip, backbone.clip.transformer.resblocks
    form = [repr(clip.transformer), blocks[0].attn.num_heads, list(backbone.tokenizer.bpe_ranks)]
    tensors = {n: value for n, value in clip.state_dict().items() if not n.startswith(("visual.", "logit_"))}
    return hash_tensors(tensors, json.dumps(form))


def hash_tensors(tensors: dict[str, Tensor], more: str = "") -> str:
    """SHA-256 of names, shapes and values, and of more words."""
    found = hashlib.sha256(more.encode())
    for name, tensor in tensors.items():
        found.update(f"{name} {tuple(tensor.shape)}".encode())
        found.update(np.ascontiguousarray(tensor.numpy(force=True)))
    return found.hexdigest()


def _read(path: Path) -> Tensor:
    reason = "its SHA-256 is not the one it was written with"
    try:
        with safe_open(path, "pt") as file:
            features = file.get_tensor("features")
            if _digest(features) == file.metadata()["sha256"]:
                return features
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        reason = str(error)
    raise UserError(f"{path} is damaged ({reason}). Delete it; the words are then encoded again.")


def _digest(features: Tensor) -> str:
    return hashlib.sha256(features.numpy()).hexdigest()
