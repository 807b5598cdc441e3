"""Pre-training of the mini CLIP: pictures and captions of openly licensed icons, as CLIP learns from the web.

The loss is CLIP's contrast of pictures and captions, in which all pictures and captions of one label are right answers
to each other, and a contrast of two views of each picture, so that what tells two cats apart stays in the feature
(both `ours`; the second after SimCLR and SLIP). Runs on a processor or a graphics card, continues if interrupted.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dpclip.files import DATA, atomic_write_bytes
from dpclip.runs.machine import commit, hardware
from dpclip_prepare.clip.corpus import Taught
from dpclip_prepare.clip.pretrain_batches import Batches
from dpclip_prepare.clip.renderings import Renderings
from dpclip_prepare.clip.vocabulary import learn_merges, write_merges

FOLDER = DATA / "mini-clip"
MERGES = 3582  # with 512 bytes and 2 special tokens, a vocabulary of 4,096


@dataclass(frozen=True)
class PretrainConfig:
    """Everything a pre-training run depends on besides the corpus."""

    steps: int = 12_000
    photos: int = 320  # pictures of each kind a step; two views of each
    lines: int = 288
    flats: int = 288
    doubles: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    warm_up: int = 400  # steps
    view_temperature: float = 0.1
    view_weight: float = 0.3
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate of a step: a straight rise, then half a cosine."""
        rest = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.learning_rate * min((step + 1) / self.warm_up, 0.5 * (1 + np.cos(np.pi * max(0.0, rest))))


def model_config(vocabulary: int) -> dict:
    """open_clip's description of the mini CLIP: a 7x7 grid like ViT-B/32's, small towers. `ours`"""
    return {
        "embed_dim": 256,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 112, "layers": 6, "width": 192, "head_width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 24, "vocab_size": vocabulary, "width": 192, "heads": 3, "layers": 3},
    }


def contrast(a: Tensor, b: Tensor, temperature: float | Tensor, labels: Tensor) -> Tensor:
    """Symmetric InfoNCE of unit rows a, b (B, E); rows of one label (B,) share what is right."""
    logits = a @ b.T / temperature
    right = (labels[:, None] == labels[None]).float()
    right = right / right.sum(1, keepdim=True)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2


class Student(nn.Module):
    """The CLIP with the statistics by which it sees pictures."""

    def __init__(self, clip: open_clip.CLIP) -> None:
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.tensor(open_clip.OPENAI_DATASET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(open_clip.OPENAI_DATASET_STD).view(1, 3, 1, 1))

    def forward(self, views: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """views (N, 3, S, S) in [0, 1] and tokens (B, T) -> unit features (N, E) and (B, E)."""
        images = self.clip.encode_image((views - self.mean) / self.std)
        texts = self.clip.encode_text(tokens)
        return F.normalize(images.float(), dim=-1), F.normalize(texts.float(), dim=-1)


def losses(student: nn.Module, scale: Tensor, batch, config: PretrainConfig) -> dict[str, Tensor]:
    """The losses of one batch by name; `scale` is CLIP's logarithm of 1 / temperature."""
    device = batch.views.device.type
    with torch.autocast(device, dtype=torch.bfloat16):
        images, texts = student(batch.views, batch.tokens)
    first, second = images.chunk(2)
    temperature = 1 / scale.exp().clamp(max=100)
    each = torch.arange(len(first), device=first.device)
    return {
        "text": sum(contrast(view, texts, temperature, batch.labels) for view in (first, second)) / 2,
        "view": contrast(first, second, config.view_temperature, each),
    }


def save_state(path: Path, step: int, student: nn.Module, optimizer: torch.optim.Optimizer, seconds: float) -> None:
    """One safetensors file with weights, optimizer moments and the step, written atomically."""
    tensors = {f"model.{name}": value for name, value in student.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    atomic_write_bytes(path, save(tensors, {"step": str(step), "seconds": str(seconds)}))


def load_state(path: Path, student: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """Put a saved state back into model and optimizer; its step and the seconds spent on it."""
    tensors = load_file(path)
    student.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    with safe_open(path, "pt") as file:
        return int(file.metadata()["step"]), float(file.metadata()["seconds"])


@torch.inference_mode()
def naming(student: Student, tokenizer, pictures: Tensor, words: Sequence[str]) -> dict[str, float]:
    """Zero-shot naming of pictures (N, 3, S, S) in [0, 1] by their own words among all of them: the share named first,
    and among the first five.
    """
    names = sorted(set(words))
    device = pictures.device
    texts = student.clip.encode_text(tokenizer([f"a picture of a {name}" for name in names]).to(device))
    images = torch.cat([student.clip.encode_image((part - student.mean) / student.std) for part in pictures.split(500)])
    similarity = F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T
    own = torch.tensor([names.index(word) for word in words], device=device)
    rank = (similarity >= similarity.gather(1, own[:, None])).sum(1)  # ties count against us
    shares = {f"top{k}": round((rank <= k).float().mean().item(), 4) for k in (1, 5)}
    return shares | {"names": len(names), "pictures": len(words)}


def pretrain(
    config: PretrainConfig, corpus: Sequence[Taught], pictures: Renderings, folder: Path, device: str = "cpu",
    every: int = 250, until: int | None = None,
) -> tuple[dict, dict]:  # fmt: skip
    """Run or continue the pre-training in `folder` up to step `until`, or to its end: (model config, report).

    Every `every` steps the state is saved, and a line with losses and the naming of icons that are never trained on is
    added to log.jsonl.
    """
    merges = folder / "merges.txt.gz"
    if not merges.exists():
        texts = [f"a {word}" for taught in corpus for word in (taught.label, taught.words)]
        write_merges(learn_merges(texts, MERGES), merges)
    description = model_config(open_clip.SimpleTokenizer(bpe_path=str(merges)).vocab_size)
    tokenizer = open_clip.SimpleTokenizer(
        bpe_path=str(merges), context_length=description["text_cfg"]["context_length"]
    )
    torch.manual_seed(config.seed)
    student = Student(open_clip.CLIP(**description)).to(device)
    size = description["vision_cfg"]["image_size"]
    batches = Batches(corpus, pictures, tokenizer, size, device)
    decayed, plain = [p for p in student.parameters() if p.ndim > 1], [p for p in student.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True)
    state, log = folder / "state.safetensors", folder / "log.jsonl"
    done, seconds = load_state(state, student, optimizer) if state.exists() else (0, 0.0)
    begun, last = time.perf_counter() - seconds, min(until or config.steps, config.steps)
    for step in range(done + 1, last + 1):
        batch = batches.draw(config, step - 1)
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step - 1)
        parts = losses(student, student.clip.logit_scale, batch, config)
        optimizer.zero_grad(set_to_none=True)
        (parts["text"] + config.view_weight * parts["view"]).backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        if step % every == 0 or step == last:
            seen = {name: round(value.item(), 4) for name, value in parts.items()}
            seconds = time.perf_counter() - begun
            save_state(state, step, student, optimizer, seconds)
            student.eval()
            named = {kind: naming(student, tokenizer, *held) for kind, held in batches.held_out.items()}
            student.train()
            line = json.dumps({"step": step, "seconds": round(seconds, 1), **seen, "naming": named})
            with open(log, "a") as file:
                print(line, file=file)
            print(line, flush=True)
    curve = [json.loads(line) for line in log.read_text().splitlines()]
    report = {
        "config": asdict(config),
        "icons": len(corpus),
        "labels": len({taught.label for taught in corpus}),
        "samples": 2 * config.steps * (config.photos + config.lines + config.flats + config.doubles),
        "seconds": round(seconds),
        "hardware": hardware(device),
        "commit": commit(),
        "naming of held-out icons": curve[-1]["naming"],
        "curve": curve,
    }
    return description, report
