"""A model hub on this machine's loopback: one repository, as the hub answers over HTTP."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin")
"""Kept in large-file storage there: only of these does the hub tell a SHA-256."""


@dataclass
class Hub:
    """What it serves and what it was asked for."""

    files: dict[str, bytes]
    repository: str = "someone/larch"
    commit: str = COMMIT
    claimed: dict[str, int] = field(default_factory=dict)
    """Sizes that it tells instead of the true ones."""
    lies: set[str] = field(default_factory=set)
    """Files that arrive with a wrong byte."""
    stuck: set[str] = field(default_factory=set)
    """Files of which the first half arrives, and then nothing until `go_on`."""
    go_on: threading.Event = field(default_factory=threading.Event)
    breaks: dict[str, int] = field(default_factory=dict)
    """File → how many times its connection breaks after half of what was asked for."""
    busy: int = 0
    """How many requests for files are answered with 503."""
    keys: list[str] = field(default_factory=list)
    """What clients sent as Authorization."""
    halfway: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """(method, path, first byte) of every request."""

    def gets(self, path: str) -> list[int]:
        """The first bytes with which a file was asked for."""
        return [first for method, asked, first in self.asked if method == "GET" and asked.endswith(f"/{path}")]

    def info(self) -> Mapping[str, Any]:
        siblings = []
        for path, content in self.files.items():
            sibling: dict[str, Any] = {"rfilename": path, "size": self.claimed.get(path, len(content))}
            if path.endswith(LARGE):
                sibling["lfs"] = {"sha256": sha256(content), "size": sibling["size"], "pointerSize": 100}
            siblings.append(sibling)
        return {"id": self.repository, "sha": self.commit, "siblings": siblings}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def serve(hub: Hub) -> ThreadingHTTPServer:
    """The hub, answering in threads; whoever starts it shuts it down."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            first = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
            hub.asked.append((self.command, path, first))
            hub.keys.append(self.headers.get("Authorization", ""))
            if path in (f"/api/models/{hub.repository}/revision/{name}" for name in ("main", hub.commit)):
                self.send(200, json.dumps(hub.info()).encode(), {"Content-Type": "application/json"})
                return
            if path.startswith("/api/models/") and hub.repository in path:
                self.send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
                return
            name = path.removeprefix(f"/{hub.repository}/resolve/{hub.commit}/")
            if name not in hub.files:
                error = "EntryNotFound" if path.startswith(f"/{hub.repository}/") else "RepoNotFound"
                self.send(404, b"{}", {"X-Error-Code": error})
                return
            self.send_file(name, first)

        def send_file(self, name: str, first: int) -> None:
            if hub.busy:
                hub.busy -= 1
                self.send(503, b"", {})
                return
            content = hub.files[name]
            tag = sha256(content) if name.endswith(LARGE) else hashlib.sha1(content).hexdigest()
            headers = {"ETag": f'"{tag}"', "X-Repo-Commit": hub.commit, "Accept-Ranges": "bytes"}
            if name in hub.lies:
                content = bytes([content[0] ^ 1]) + content[1:]
            if first:
                headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.send(206 if first else 200, content[first:], headers, stuck=name in hub.stuck)

        def send(self, status: int, body: bytes, headers: Mapping[str, str], *, stuck: bool = False) -> None:
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(header, value)
            self.end_headers()
            name = self.path.split("/", 5)[-1]
            breaks = status < 300 and hub.breaks.get(name, 0) > 0
            half = len(body) // 2 if stuck or breaks else 0
            self.wfile.write(body[:half])
            if breaks:
                hub.breaks[name] -= 1
                self.close_connection = True
                return
            if stuck:
                self.wfile.flush()
                hub.halfway.set()
                hub.go_on.wait(60)
            try:
                self.wfile.write(body[half:])
            except OSError:  # whoever asked is gone
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
