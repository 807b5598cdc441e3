"""DP-CLIP, executable: dual-modal prompting for sketch-based image retrieval (arXiv 2404.18695)."""

import warnings

# open_clip imports notebook progress bars, which complain on every page that has no widgets; no page uses them.
warnings.filterwarnings("ignore", message="IProgress not found")
