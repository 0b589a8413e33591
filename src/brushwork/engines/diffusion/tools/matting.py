"""Tell subjects from backgrounds with BiRefNet, as an ONNX file: no code comes with it, nor is torch needed.

The file's one input is a picture with the statistics of ImageNet, its last output is how sure the network is of each
pixel. Where the picture is larger than that, its own edges make the answer sharp.
"""

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.tools.guided import enlarged
from brushwork.engines.tools.matting import REACH, SMOOTHNESS
from brushwork.engines.tools.network import Floats, default_threads
from brushwork.engines.tools.super_resolution import Bytes
from brushwork.engines.turns import asked_meanwhile, turn
from brushwork.errors import Unavailable

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
SIDE = 1024
"""Of what it looks at, where the file does not say."""
NEARLY = 0.01
"""Answers that are no farther outside 0..1 are shares already; others are logits."""


class OnnxMatting:
    """A `Matting`. Loaded when it is first used, and one picture at a time: it takes a gigabyte or more."""

    def __init__(self, file: Path, *, device: str = "cpu") -> None:
        self.file = file
        self.device = device
        self.lock = threading.Lock()

    @cached_property
    def session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = default_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(self.file, options, providers=providers_for(self.device))
        except Exception as error:  # ONNX Runtime has a class of its own for each reason
            reason = str(error).splitlines()[0]
            raise Unavailable(f"The file {self.file.name} cannot be used for cutting out ({reason}).") from None
        if len(session.get_inputs()) != 1:
            raise Unavailable(f"The file {self.file.name} is no network for cutting out: it has more than one input.")
        return session

    def __call__(self, colours: Bytes, *, ask: Ask = always_wanted) -> Floats:
        with turn(self.lock, ask):
            (given,) = self.session.get_inputs()
            side = next((size for size in reversed(given.shape) if isinstance(size, int) and size > 3), SIDE)
            seen = cv2.resize(colours, (side, side), interpolation=cv2.INTER_AREA)
            small = np.asarray(seen, np.float32) / np.float32(255)
            batch = ((small - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
            kind = np.float16 if "float16" in given.type else np.float32
            answer = self.answer({given.name: np.ascontiguousarray(batch, kind)}, ask)
        alpha = shares(np.asarray(answer, np.float32).reshape(answer.shape[-2:]))
        height, width = colours.shape[:2]
        if max(height, width) <= side:
            return np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA), np.float32).clip(0, 1)
        return np.clip(enlarged(alpha, small, colours, reach=REACH, smoothness=SMOOTHNESS), 0, 1)

    def answer(self, given: Mapping[str, Any], ask: Ask) -> Any:
        """What comes out last. A run is ended between two layers when nobody wants it."""
        from onnxruntime import RunOptions

        options = RunOptions()

        def stop() -> None:
            options.terminate = True

        return asked_meanwhile(lambda: self.session.run(None, given, options), ask, stop=stop)[-1]


def shares(answer: Floats) -> Floats:
    """0..1, whether the sigmoid is in the file or not."""
    if answer.min() >= -NEARLY and answer.max() <= 1 + NEARLY:
        return answer.clip(0, 1)
    return np.asarray(1 / (1 + np.exp(-answer.clip(-30, 30))), np.float32)


def providers_for(device: str) -> list[str]:
    import onnxruntime

    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    return [name for name in (*wanted, "CPUExecutionProvider") if name in onnxruntime.get_available_providers()]
