"""Loading a model says nothing that is not news, and what is news is still said."""

import subprocess
import sys

import pytest

from tests.engines.diffusion.shelf import TinyShelf

LOADED = """
import sys, logging
from pathlib import Path
import torch
from brushwork.engines.diffusion.parts import load_part
import brushwork.engines.diffusion.pipe, brushwork.engines.diffusion.speaking
from transformers import CLIPImageProcessor
load_part(Path(sys.argv[1]), "text_encoder", dtype=torch.float32)
load_part(Path(sys.argv[1]), "vae", dtype=torch.float32)
logging.getLogger("transformers.utils.import_utils").warning("news")
"""


def test_what_is_loaded_is_not_announced_and_other_warnings_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    shelf = TinyShelf(tmp_path_factory.mktemp("models"))
    shelf.family("sdxl")

    said = subprocess.run(
        [sys.executable, "-c", LOADED, str(shelf.root / "sdxl")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert (said.stdout + said.stderr).strip() == "[transformers] news"
