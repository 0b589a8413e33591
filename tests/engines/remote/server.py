"""Someone else's machine: a small HTTP server that speaks the OpenAI image API, on loopback, in a thread."""

import base64
import email
import email.policy
import io
import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

HANG_SECONDS = 30.0


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    fields: Mapping[str, Any]
    files: tuple[tuple[str, Image.Image], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What to say instead of a picture."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass
class Machine:
    """What it is, what it was asked, and what it is to say next."""

    url: str = ""
    owner: str = "vllm"
    lists_models: bool = True
    as_url: str = ""
    """Answer with this address instead of the picture itself."""
    drawn_size: tuple[int, int] | None = None
    answers: list[Answer] = field(default_factory=list)
    """Said first, one for each request."""
    requests: list[Request] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    most_at_once: int = 0

    def drawing(self, request: Request) -> bytes:
        """One flat colour for each seed and prompt."""
        width, height = self.drawn_size or tuple(int(side) for side in request.fields["size"].split("x"))
        seed = int(request.fields.get("seed", 0))
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), (seed & 255, seed >> 8 & 255, len(request.fields["prompt"]) & 255)).save(
            buffer, "PNG"
        )
        return buffer.getvalue()


@contextmanager
def machine(**named: Any) -> Iterator[Machine]:
    """A running server; ends with the block."""
    state = Machine(**named)
    handler = type("Bound", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    state: Machine
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None: ...

    def do_GET(self) -> None:
        if self.path == "/v1/models" and self.state.lists_models:
            self.say(json.dumps({"data": [{"id": "painter", "owned_by": self.state.owner}]}).encode())
        elif self.path == "/files/one.png":
            self.say(self.state.drawing(self.state.requests[-1]))
        else:
            self.say(b'{"detail": "Not Found"}', status=404)

    def do_POST(self) -> None:
        request = self.request_of(self.rfile.read(int(self.headers["content-length"])))
        with self.state.lock:
            self.state.requests.append(request)
            answer = self.state.answers.pop(0) if self.state.answers else None
            self.state.at_once += 1
            self.state.most_at_once = max(self.state.most_at_once, self.state.at_once)
        try:
            if answer is not None and answer.hangs:
                self.hang()
            elif answer is not None:
                self.say(answer.body, status=answer.status, headers=answer.headers)
            else:
                self.draw(request)
        finally:
            with self.state.lock:
                self.state.at_once -= 1

    def draw(self, request: Request) -> None:
        if self.state.as_url:
            picture = {"url": self.state.as_url.replace("SELF", self.state.url)}
        else:
            picture = {"b64_json": base64.b64encode(self.state.drawing(request)).decode()}
        self.say(json.dumps({"created": 1, "data": [picture]}).encode())

    def hang(self) -> None:
        """Say nothing until the other side goes away."""
        readable, _, _ = select.select([self.connection], [], [], HANG_SECONDS)
        if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
            self.state.hung_up.set()
        self.close_connection = True

    def request_of(self, body: bytes) -> Request:
        kind = self.headers["content-type"]
        headers = {name.lower(): value for name, value in self.headers.items()}
        if kind.startswith("application/json"):
            return Request(self.path, headers, json.loads(body))
        message = email.message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
        fields: dict[str, Any] = {}
        files: list[tuple[str, Image.Image]] = []
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            if part.get_filename():
                files.append((name, Image.open(io.BytesIO(data))))
            else:
                fields[name] = data.decode()
        return Request(self.path, headers, fields, tuple(files))

    def say(self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
