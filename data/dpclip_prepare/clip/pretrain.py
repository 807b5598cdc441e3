"""Pre-training of the mini CLIP on icons (`dpclip pretrain`): two towers of open_clip, three contrastive losses.

Each step takes B groups of icons and two views of each, in different styles where the group has them.

  text     CLIP's own loss: each view against the captions of the batch, `paper` (CLIP)
  pair     the two views of a group against each other's batch, `ours`
  teacher  each view, through a linear head, against the frozen teacher's features of the plain pictures, `ours`

Learning rate: warm-up, flat, then linear decay over the last quarter of `steps`. Every random draw depends on (seed,
step) alone, so an interrupted run continues to the same weights; a long schedule can be ended early with a smaller
`steps`.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dpclip.files import DATA, atomic_write_bytes
from dpclip.runs.machine import commit, hardware
from dpclip_prepare.clip.corpus import CAPTIONS, Corpus, open_corpus
from dpclip_prepare.clip.teacher import teach
from dpclip_prepare.clip.vocabulary import learn_merges, write_merges

FOLDER = DATA / "mini-clip"
MERGES = 3582  # with 512 bytes and 2 special tokens, a vocabulary of 4,096


@dataclass(frozen=True)
class PretrainConfig:
    """Everything a pre-training run depends on besides the corpus."""

    steps: int = 2600
    batch: int = 192  # groups a step; two views of each
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 150  # steps
    decay_share: float = 0.25  # of `steps`, at the end
    components: int = 256  # of the teacher's features
    taught_others: int = 12_000  # pictures of groups without an emoji that the teacher looks at
    teacher_temperature: float = 0.05
    pair_temperature: float = 0.1
    teacher_weight: float = 1.0
    pair_weight: float = 1.0
    bf16: bool = False  # autocast; only for processors with native bf16 arithmetic
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        decay = max(1, int(self.steps * self.decay_share))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up, (self.steps - step) / decay)


def model_config(vocabulary: int) -> dict:
    """open_clip's description of the mini CLIP: a 7x7 grid like ViT-B/32's, small towers. `ours`"""
    return {
        "embed_dim": 256,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 112, "layers": 6, "width": 192, "head_width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 24, "vocab_size": vocabulary, "width": 192, "heads": 3, "layers": 3},
    }


def contrast(a: Tensor, b: Tensor, temperature: float | Tensor) -> Tensor:
    """Symmetric InfoNCE of unit rows a, b (B, E): row i of a belongs to row i of b."""
    logits = a @ b.T / temperature
    target = torch.arange(len(a))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


class Pretraining(nn.Module):
    """The student and the head through which the teacher is matched."""

    def __init__(self, clip: open_clip.CLIP, components: int) -> None:
        super().__init__()
        self.clip = clip
        self.head = nn.Linear(clip.visual.output_dim, components)
        self.register_buffer("mean", torch.tensor(open_clip.OPENAI_DATASET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(open_clip.OPENAI_DATASET_STD).view(1, 3, 1, 1))

    def forward(
        self, views: Tensor, tokens: Tensor, taught: Tensor, known: Tensor, config: PretrainConfig
    ) -> dict[str, Tensor]:
        """views (2B, 3, S, S) in [0, 1], tokens (B, T), taught (2B, C) teacher features where known (2B,) -> the
        losses by name.
        """
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config.bf16):
            images = self.clip.encode_image((views - self.mean) / self.std)  # (2B, E)
            texts = self.clip.encode_text(tokens)  # (B, E)
            matched = self.head(images)  # (2B, C)
        images, texts = F.normalize(images.float(), dim=-1), F.normalize(texts.float(), dim=-1)
        matched = F.normalize(matched.float(), dim=-1)
        first, second = images.chunk(2)
        temperature = 1 / self.clip.logit_scale.exp().clamp(max=100)
        halves = zip(matched.chunk(2), taught.chunk(2), known.chunk(2), strict=True)
        return {
            "text": (contrast(first, texts, temperature) + contrast(second, texts, temperature)) / 2,
            "pair": contrast(first, second, config.pair_temperature),
            "teacher": sum(contrast(m[k], t[k], config.teacher_temperature) for m, t, k in halves) / 2,
        }


def save_state(path: Path, step: int, model: Pretraining, optimizer: torch.optim.Optimizer, seconds: float) -> None:
    """One safetensors file with weights, optimizer moments and the step, written atomically."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    atomic_write_bytes(path, save(tensors, {"step": str(step), "seconds": str(seconds)}))


def load_state(path: Path, model: Pretraining, optimizer: torch.optim.Optimizer) -> None:
    """Put a saved state back into model and optimizer."""
    tensors = load_file(path)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


@torch.inference_mode()
def naming(clip: open_clip.CLIP, tokenizer: open_clip.SimpleTokenizer, corpus: Corpus, size: int) -> dict[str, float]:
    """Zero-shot naming of the held-out icons among their own 1,000 names: share named first, and among the first
    five.
    """
    clip.eval()
    names = corpus.table["group"].to_numpy()[corpus.held_out].tolist()
    texts = torch.cat(
        [
            clip.encode_text(tokenizer([f"a picture of a {n}" for n in names[i : i + 200]]), normalize=True)
            for i in range(0, len(names), 200)
        ]
    )
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    images = []
    for start in range(0, len(names), 200):
        pictures = F.interpolate(corpus.canonical(corpus.held_out[start : start + 200]), size=size, mode="area")
        images.append(clip.encode_image((pictures - mean) / std, normalize=True))
    similarity = torch.cat(images) @ texts.T
    own = similarity.diagonal()[:, None]
    rank = (similarity >= own).sum(1)  # ties count against us
    clip.train()
    return {"top1": (rank <= 1).float().mean().item(), "top5": (rank <= 5).float().mean().item(), "names": len(names)}


def prepare(corpus: Corpus, config: PretrainConfig, folder: Path) -> tuple[dict, Path, np.ndarray, np.ndarray]:
    """Vocabulary and teacher features, made once in `folder`: (model config, merge file, features, place of each row
    or -1).
    """
    merges, features = folder / "merges.txt.gz", folder / f"teacher-{config.components}-{config.taught_others}.npy"
    if not merges.exists():
        texts = [t.format(g, topic=corpus.topic_of.get(g, "")) for g in corpus.all_groups for t in CAPTIONS[::4]]
        write_merges(learn_merges(texts, MERGES), merges)
    rows = corpus.taught(config.taught_others)
    if not features.exists():
        np.save(features, teach(corpus.canonical, rows, config.components))
    place = np.full(len(corpus.table), -1)
    place[rows] = np.arange(len(rows))
    tokenizer = open_clip.SimpleTokenizer(bpe_path=str(merges))
    return model_config(tokenizer.vocab_size), merges, np.load(features), place


def pretrain(config: PretrainConfig, folder: Path, every: int = 50) -> tuple[dict, dict]:
    """Run or continue the pre-training in `folder`: (model config, report).

    Every `every` steps the state is saved and a line logged.
    """
    corpus = open_corpus(folder)
    description, merges, features, place = prepare(corpus, config, folder)
    tokenizer = open_clip.SimpleTokenizer(
        bpe_path=str(merges), context_length=description["text_cfg"]["context_length"]
    )
    torch.manual_seed(config.seed)
    model = Pretraining(open_clip.CLIP(**description), config.components)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
    size = description["vision_cfg"]["image_size"]
    state, log = folder / "state.safetensors", folder / "log.jsonl"
    done, seconds = 0, 0.0
    if state.exists():
        with safe_open(state, "pt") as file:
            done, seconds = int(file.metadata()["step"]), float(file.metadata()["seconds"])
        load_state(state, model, optimizer)
    start = time.perf_counter() - seconds
    with Progress(*Progress.get_default_columns()[:-1], TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("pre-training", total=config.steps, completed=done)
        for step in range(done, config.steps):
            random = np.random.default_rng([config.seed, step])
            generator = torch.Generator().manual_seed(int(random.integers(2**62)))
            names = corpus.draw_groups(config.batch, random)
            rows = corpus.draw_pairs(names, random).reshape(-1)  # (2B,)
            views = corpus.views(rows, size, generator)
            taught = torch.from_numpy(features[place[rows]])
            losses = model(
                views, tokenizer(corpus.captions(names, random)), taught, torch.from_numpy(place[rows] >= 0), config
            )
            loss = losses["text"] + config.pair_weight * losses["pair"] + config.teacher_weight * losses["teacher"]
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for group in optimizer.param_groups:
                group["lr"] = config.rate(step)
            optimizer.step()
            progress.update(task, completed=step + 1)
            if (step + 1) % every == 0 or step + 1 == config.steps:
                seconds = time.perf_counter() - start
                save_state(state, step + 1, model, optimizer, seconds)
                line = {
                    "step": step + 1,
                    "seconds": round(seconds),
                    **{k: round(v.item(), 4) for k, v in losses.items()},
                }
                line |= naming(model.clip, tokenizer, corpus, size)
                with open(log, "a") as file:
                    file.write(json.dumps(line) + "\n")
    report = {
        "config": asdict(config),
        "icons": len(corpus.table),
        "groups": len(corpus.all_groups),
        "seconds": round(seconds),
        "hardware": hardware(),
        "commit": commit(),
        "naming of held-out icons": naming(model.clip, tokenizer, corpus, size),
    }
    return description, report
