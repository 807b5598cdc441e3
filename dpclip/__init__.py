"""DP-CLIP, executable: dual-modal prompting for sketch-based image retrieval (arXiv 2404.18695).

What a researcher imports is here, and is loaded when it is first touched: `import dpclip` alone brings no torch.
"""

from importlib import import_module

_PLACES = {
    **dict.fromkeys(("train", "evaluate", "query"), "dpclip.api"),
    **dict.fromkeys(("DPCLIPConfig", "RunConfig", "preset"), "dpclip.config"),
    "UserError": "dpclip.errors",
    "load_backbone": "dpclip.method.backbone",
    "DPCLIP": "dpclip.method.model",
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'dpclip' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
