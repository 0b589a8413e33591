"""Generated requests, good and bad, against a real server with a valid key: never a 5xx, always as described."""

import subprocess
import sys
from pathlib import Path

from tests.journeys.server import serving

MAX_SECONDS = 240
EXAMPLES = 15


def test_no_generated_request_breaks_the_server_or_its_description(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"{server.url}/openapi.json", "--url", f"{server.url}/api", "-H", f"x-api-key: {server.key}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1"),
            # A schema cannot say which prompts are grammatical, so what fits it may be refused; and what does not fit
            # may be taken, as "" is where nothing is meant.
            *("--exclude-checks", "positive_data_acceptance,negative_data_rejection"),
            # A stream that lasts as long as its client wants to listen.
            *("--exclude-operation-id", "listen_to_webhooks"),
            # This key may not; and one that may would revoke itself before long.
            *("--exclude-tag", "operators"),
            *("--generation-database", "none", "--request-timeout", "20", "--no-color"),
        ]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)

        assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
        assert '"status": 5' not in server.output()
        assert server.output().count('"event": "request"') > 200
