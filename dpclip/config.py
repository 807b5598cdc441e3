"""A run as data: the switches of DP-CLIP, what is trained on what, and the four presets; checked when it is made."""

import difflib
import hashlib
import json
import math
from dataclasses import asdict, field, fields, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from dpclip.errors import UserError

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
HINTS = {  # of pydantic's errors, by type
    "literal_error": "choose one of {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
    **{f"{kind}_type": f"must be of type {kind}" for kind in ("int", "float", "bool")},
    "string_type": "must be of type str",
}


def settings(cls: type) -> type:
    """A frozen dataclass whose fields are checked when it is made: types, ranges and choices stand on the field. Raises
    UserError naming field, value and what is allowed.
    """
    checked = dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))(cls)
    make = checked.__init__

    def __init__(self, **values: object) -> None:
        try:
            make(self, **values)
        except ValidationError as error:
            first = error.errors()[0]
            about = first.get("ctx", {})
            if isinstance(about.get("error"), UserError):
                raise about["error"] from None
            name = ".".join(map(str, first["loc"]))
            hint = HINTS.get(first["type"], first["msg"]).format(**about)
            raise UserError(f"{name}={first['input']!r}: {hint}.") from None

    checked.__init__ = __init__
    return checked


@settings
class DPCLIPConfig:
    """Defaults: the full model with the released code's values."""

    # deep: a prompt for every layer | shallow: for the first | generic(-shallow): learned only, no support
    visual_prompt: Literal["none", "generic", "generic-shallow", "shallow", "deep"] = "deep"
    # images of the category, of both kinds or of one | random: of any categories | unmatched: of one other category
    support: Literal["both", "sketch", "photo", "random", "unmatched"] = "both"
    num_prompts: Positive = 3  # prompt tokens a layer
    support_sketches: Count = 1  # support images of a category, if `support` uses sketches
    support_photos: Count = 2  # the same for photos
    prompt_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1  # after the linear of the learned tokens
    # unscaled: low-rank paths without text | direct: Fig. 3b | sideway: Fig. 3c
    scaling: Literal["none", "unscaled", "direct", "sideway"] = "sideway"
    rank: Positive = 16  # r of the low-rank paths
    templates: Literal[63, 1] = 63  # sentences a category's text feature averages
    patch_matching: bool = True
    window: Positive = 5  # side of a window, in patches
    windows: Positive = 4  # a square number: they lie in rows and columns, evenly
    # CLIP's own part: norms (paper) | norms+embeddings (released code) | with q, k and v (released code of CLIP-AT)
    trainable: Literal["none", "norms", "norms+embeddings", "norms+embeddings+attention"] = "norms+embeddings"
    normalisation: Literal["clip", "imagenet"] = "imagenet"  # pixel statistics; the released code's are ImageNet's
    margin: Amount = 0.15  # of the triplets
    local_weight: Amount = 0.1  # lambda, weight of the windows in the loss
    fusion: Amount = 0.2  # weight of the windows in the retrieval distance
    hard_every: Count = 10  # epochs after which hard negatives gain 0.25 of weight; 0: never
    negatives: Literal["instance", "category"] = "instance"  # of another photo of the category, or of others `ours`
    # epoch kept: last | val: best on held-out seen categories | test: on the unseen ones (released code)
    checkpoint: Literal["last", "val", "test"] = "last"
    shuffle_weight: Amount = 0.0  # of CLIP-AT's patch-shuffle triplet (losses.py)
    relative_weight: Amount = 0.0  # of its relative-distance regulariser
    text_weight: Amount = 0.0  # of its text classification loss
    swapped: Literal["none", "support", "words"] = "none"  # what the test takes from another category `ours`
    generalised: bool = False  # whether the gallery of category-level retrieval holds the seen photos too

    def __post_init__(self) -> None:
        if math.isqrt(self.windows) ** 2 != self.windows:
            raise UserError(f"windows={self.windows}: must be a square number, such as 1, 4 or 9: rows by columns.")
        if self.sees_support and sum(self.support_counts) == 0:
            raise UserError(
                f"support={self.support!r} with support_sketches={self.support_sketches} and support_photos="
                f"{self.support_photos} leaves no support image: raise one, or choose visual_prompt='generic'."
            )

    @property
    def sees_support(self) -> bool:
        """Whether the prompts come from support images."""
        return self.visual_prompt in ("shallow", "deep")

    @property
    def reads_words(self) -> bool:
        """Whether the category's text feature scales the tower."""
        return self.scaling in ("direct", "sideway")

    @property
    def support_counts(self) -> tuple[int, int]:
        """How many (sketches, photos) the support set of a category holds under `support`."""
        sketches, photos = self.support_sketches, self.support_photos
        return 0 if self.support == "photo" else sketches, 0 if self.support == "sketch" else photos


@settings
class RunConfig:
    """Everything a run depends on besides data, weights and seed. Learning rates: section 7."""

    preset: str = "paper"
    dataset: str = "sketchy"
    unseen: str = ""  # whose list of unseen categories; "": the data set's usual one
    val_categories: Count = 0  # seen categories held out for validation; the paper holds out none
    method: str = "dpclip.method.model:DPCLIP"  # the model's class as module:Class (method/interface.py)
    backbone: str = "ViT-B-32"
    weights: str = "openai"  # of the backbone; "" for the ones it ships with
    model: DPCLIPConfig = field(default_factory=DPCLIPConfig)
    epochs: Positive = 60
    steps_per_epoch: Count = 0  # 0: all batches of the epoch
    batch: Annotated[int, Field(ge=2)] = 64  # sketches of one category; a batch of 1 has no negatives
    clip_rate: Amount = 1e-6  # learning rate of CLIP's own parameters
    new_rate: Amount = 1e-5  # learning rate of everything new
    joint: Positive = 1  # batches whose mean loss makes one step; several processes share them
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"  # of training: fp32 is the reference, bf16 is autocast
    compile: bool = False  # torch.compile of the tower in training
    test_categories: Count = 0  # unseen categories evaluated; 0: all
    category_level: bool = True  # whether category-level retrieval is tested too: long where many categories are unseen

    def key(self) -> str:
        """16 hexadecimal digits of all settings that are not the defaults: a new switch, off, changes no key."""
        plain, own = asdict(RunConfig()), asdict(self)
        changed = {name: value for name, value in own.items() if name != "model" and value != plain[name]}
        changed["model"] = {name: value for name, value in own["model"].items() if value != plain["model"][name]}
        return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, values: dict) -> "RunConfig":
        """The settings that a record holds; a switch that is newer than the record has its default. Raises UserError
        for one that is not known here.
        """
        try:
            return cls(**{**values, "model": DPCLIPConfig(**values["model"])})
        except (UserError, TypeError, KeyError) as error:
            raise UserError(f"settings that this code does not know ({error}).") from error

    def set(self, /, **changes: object) -> "RunConfig":
        """A copy with other values; fields of `model` by their own name. Raises UserError for an unknown field."""
        own, model = ({f.name for f in fields(kind)} for kind in (RunConfig, DPCLIPConfig))
        own -= {"model", "preset"}
        for name in changes:
            if name not in own | model:
                close = difflib.get_close_matches(name, own | model, 1)
                hint = f" Did you mean {close[0]!r}?" if close else f" Fields: {', '.join(sorted(own | model))}."
                raise UserError(f"unknown config field {name!r}.{hint}")
        inner = replace(self.model, **{k: v for k, v in changes.items() if k in model})
        return replace(self, model=inner, **{k: v for k, v in changes.items() if k in own})


def parse_settings(texts: list[str]) -> dict[str, object]:
    """["rank=4", "patch_matching=false"] -> values of the fields' own types. Raises UserError for what is none."""
    kinds = {f.name: type(f.default) for kind in (RunConfig, DPCLIPConfig) for f in fields(kind) if f.name != "model"}
    changes = {}
    for setting in texts:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting!r}: write field=value.")
        kind = kinds.get(name, str)
        try:
            changes[name] = {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError) as error:
            raise UserError(f"--set {setting!r}: {text!r} is not of type {kind.__name__}.") from error
    return changes


def settings_words(config: RunConfig) -> list[str]:
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


MINI = RunConfig(preset="mini", dataset="icon-sbir", backbone="mini", weights="").set(
    normalisation="clip", hard_every=3, epochs=18, steps_per_epoch=25, batch=16, clip_rate=1e-4, new_rate=1e-3,
    category_level=False,
)  # fmt: skip
TRIAL = {"steps_per_epoch": 2, "batch": 4, "test_categories": 2, "category_level": True}
PRESETS = {
    "smoke": replace(MINI, preset="smoke", epochs=2, **TRIAL).set(hard_every=1),  # two epochs reach hard negatives
    "dry": RunConfig(preset="dry", weights="", epochs=1, **TRIAL).set(templates=1),
    "mini": MINI,
    "paper": RunConfig(),
}
TRIALS = ("smoke", "dry")  # whose numbers mean nothing: their records are not kept in the repository
