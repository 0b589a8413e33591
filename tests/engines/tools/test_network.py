"""The networks that ship: what is said of them is true, and nobody loads them who does not run them."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from brushwork.engines.tools.matting_depth import MATTING_DEPTH
from brushwork.engines.tools.network import MODELS, Network, run, session
from brushwork.engines.tools.super_resolution import SUPER_RESOLUTION
from brushwork.engines.tools.tags import TAGS

NETWORKS = [*SUPER_RESOLUTION.values(), MATTING_DEPTH, TAGS]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_file_is_the_one_that_is_described(network: Network) -> None:
    card = "\n".join(path.read_text() for path in MODELS.glob("*.md"))

    assert hashlib.sha256(network.path.read_bytes()).hexdigest() == network.sha256
    assert network.path.stat().st_size == pytest.approx(network.bits / 8 * network.parameters, rel=0.03)
    for said in (network.file, network.name, network.sha256, f"{network.parameters:,}", network.licence):
        assert said in card


def test_every_file_is_described() -> None:
    assert {path.name for path in MODELS.glob("*.onnx")} == {network.file for network in NETWORKS}


def test_a_session_is_loaded_once_for_each_number_of_threads() -> None:
    network = SUPER_RESOLUTION[2]

    assert session(network, 1) is session(network, 1)
    assert session(network, 1) is not session(network, 2)
    assert session(network, 2).get_session_options().intra_op_num_threads == 2


def test_a_batch_keeps_its_pictures_apart() -> None:
    first, second = np.random.default_rng(0).random((2, 1, 3, 20, 24), np.float32)

    together = run(SUPER_RESOLUTION[2], np.concatenate([first, second]), threads=1)

    assert together.shape == (2, 3, 40, 48)
    np.testing.assert_allclose(together[1:], run(SUPER_RESOLUTION[2], second, threads=1), atol=1e-5)


def test_neither_the_api_nor_the_list_of_networks_loads_the_runtime() -> None:
    code = (
        "import sys, brushwork.app, brushwork.cli.command, brushwork.engines.tools.super_resolution;"
        "import brushwork.engines.tools.matting, brushwork.engines.tools.depth, brushwork.engines.tools.tags;"
        "sys.exit('onnxruntime' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
