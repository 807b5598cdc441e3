"""A run as data: what is trained on what, and the four presets."""

import dataclasses
import difflib
import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace

from dpclip.errors import UserError
from dpclip.method.config import DPCLIPConfig

PRECISIONS = ("fp32", "tf32", "bf16")


@dataclass(frozen=True)
class RunConfig:
    """Everything a run depends on besides data, weights and seed. Learning rates: section 7."""

    preset: str = "paper"
    dataset: str = "sketchy"
    unseen: str = ""  # whose list of unseen categories; "": the data set's usual one
    val_categories: int = 0  # seen categories held out for validation; the paper holds out none
    method: str = "dpclip.method.model:DPCLIP"  # the model's class as module:Class (method/face.py)
    backbone: str = "ViT-B-32"
    weights: str = "openai"  # of the backbone; "" for the ones it ships with
    model: DPCLIPConfig = field(default_factory=DPCLIPConfig)
    epochs: int = 60
    steps_per_epoch: int = 0  # 0: all batches of the epoch
    batch: int = 64  # sketches of one category
    clip_rate: float = 1e-6  # learning rate of CLIP's own parameters
    new_rate: float = 1e-5  # learning rate of everything new
    joint: int = 1  # batches whose mean loss makes one step; several processes share them
    precision: str = "fp32"  # of training: fp32 (reference) | tf32 (matrix products) | bf16 (autocast)
    compile: bool = False  # torch.compile of the tower in training
    test_categories: int = 0  # unseen categories evaluated; 0: all

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type in (int, float) and (
                isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0
            ):
                raise UserError(f"{item.name}={value!r}: must be a number of at least 0.")
        if self.joint < 1:
            raise UserError(f"joint={self.joint}: a step needs at least 1 batch.")
        if self.precision not in PRECISIONS:
            raise UserError(f"precision={self.precision!r}: choose one of {', '.join(PRECISIONS)}.")
        if self.batch < 2:
            raise UserError(f"batch={self.batch}: a batch needs at least 2 sketches, for its negatives.")

    def key(self) -> str:
        """16 hexadecimal digits of all settings that are not the defaults: a new switch, off, changes no key."""
        plain, own = asdict(RunConfig()), asdict(self)
        changed = {name: value for name, value in own.items() if name != "model" and value != plain[name]}
        changed["model"] = {name: value for name, value in own["model"].items() if value != plain["model"][name]}
        return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, values: dict) -> "RunConfig":
        """The settings that a record holds. A switch that is newer than the record has its default."""
        own = dict(values)
        return cls(model=DPCLIPConfig(**own.pop("model")), **own)

    def set(self, **changes: object) -> "RunConfig":
        """A copy with other values; fields of `model` are set by their own name.

        Raises UserError for an unknown field.
        """
        own, model = {f.name for f in fields(self)} - {"model", "preset"}, {f.name for f in fields(DPCLIPConfig)}
        for name in changes:
            if name not in own | model:
                close = difflib.get_close_matches(name, own | model, 1)
                hint = f" Did you mean {close[0]!r}?" if close else f" Fields: {', '.join(sorted(own | model))}."
                raise UserError(f"unknown config field {name!r}.{hint}")
        inner = replace(self.model, **{k: v for k, v in changes.items() if k in model})
        return replace(self, model=inner, **{k: v for k, v in changes.items() if k in own})


def parse_settings(settings: list[str]) -> dict[str, object]:
    """["rank=4", "patch_matching=false"] -> values of the fields' own types.

    Raises UserError for what does not parse.
    """
    kinds = {f.name: f.type for c in (RunConfig, DPCLIPConfig) for f in dataclasses.fields(c)}
    changes: dict[str, object] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting!r}: write field=value.")
        kind = kinds.get(name, str)
        try:
            changes[name] = {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError) as error:
            raise UserError(f"--set {setting!r}: {text!r} is not of type {kind.__name__}.") from error
    return changes


def settings(config: RunConfig) -> list[str]:
    """The `--set` options that turn a config's preset into it: what `parse_settings` reads."""
    own, plain = asdict(config), asdict(preset(config.preset))
    own |= own.pop("model")
    plain |= plain.pop("model")
    return [word for name in own if own[name] != plain[name] for word in ("--set", f"{name}={own[name]}")]


def preset(name: str) -> RunConfig:
    """`paper`: the published recipe at ViT-B/32 on Sketchy. `mini`: the embedded benchmark and the mini CLIP, minutes
    on two cores. `smoke`: the same code in seconds, and `dry`: the code of `paper` in minutes, with random weights, on
    a stand-in for the data; both for tests, their numbers mean nothing. Raises UserError for another name.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}. Choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]


MINI = RunConfig(
    preset="mini",
    dataset="openmoji-sbir",
    backbone="mini",
    weights="",
    model=DPCLIPConfig(normalisation="clip", hard_every=2),
    epochs=12,
    steps_per_epoch=25,
    batch=16,
    clip_rate=3e-3,
    new_rate=1e-3,
)
PAPER = RunConfig()
TRIAL = {"steps_per_epoch": 2, "batch": 4, "test_categories": 2}
PRESETS = {
    "smoke": replace(MINI, preset="smoke", epochs=2, **TRIAL),
    "dry": replace(PAPER, preset="dry", weights="", epochs=1, **TRIAL).set(templates=1),
    "mini": MINI,
    "paper": PAPER,
}
TRIALS = ("smoke", "dry")  # whose numbers mean nothing: their records are not kept in the repository
