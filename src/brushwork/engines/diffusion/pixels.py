"""Pictures into tensors and back. All of it on the CPU, outside of the loop's thread."""

import hashlib

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def tensor_of(image: Image.Image) -> Tensor:
    """RGB → (3, H, W) in -1..1."""
    values = torch.from_numpy(np.array(image.convert("RGB"), dtype=np.float32))
    return values.permute(2, 0, 1).contiguous() / 127.5 - 1.0


def mask_of(image: Image.Image, height: int, width: int) -> Tensor:
    """L → (1, h, w) in 0..1 for latents: whatever is touched is drawn, the kept pixels are put back later anyway."""
    values = torch.from_numpy(np.array(image.convert("L"), dtype=np.float32) / 255.0)[None]
    return torch.nn.functional.adaptive_max_pool2d(values, (height, width))


def digest(image: Image.Image | None) -> str:
    """Equal for equal pictures."""
    if image is None:
        return ""
    return hashlib.blake2b(
        image.tobytes(), digest_size=16, person=f"{image.mode}{image.size}"[:16].encode()
    ).hexdigest()


def bytes_of(pixels: Tensor) -> Tensor:
    """(3, H, W) in 0..1 → (H, W, 3) of bytes, where the pixels are."""
    return (pixels.float().clamp(0, 1) * 255.0).round().to(torch.uint8).permute(1, 2, 0).contiguous()


def image_of(values: Tensor) -> Image.Image:
    """(H, W, 3) of bytes, on the CPU → RGB."""
    return Image.fromarray(values.numpy())
