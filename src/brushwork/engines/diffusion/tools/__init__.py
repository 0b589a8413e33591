"""Learned tools beside the denoising loop: from files of the catalog's kind "tool", run with torch or ONNX Runtime."""
