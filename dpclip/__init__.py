"""DP-CLIP, executable: dual-modal prompting for sketch-based image retrieval (arXiv 2404.18695)."""
