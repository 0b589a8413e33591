"""What servers of the OpenAI image API honour beyond OpenAI's own fields, written by hand.

A server ignores in silence what it does not know, so a field is sent only where it is known to have an effect: by the
name of the server in /v1/models, or because the operator says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

DIFFUSERS = frozenset({"seed", "negative_prompt", "num_inference_steps", "guidance_scale"})


@dataclass(frozen=True)
class Server:
    """One kind of server."""

    fields: frozenset[str] = frozenset()
    sizes: tuple[tuple[int, int], ...] = ()
    """All that it draws; empty: any multiple of 16."""
    asks_format: bool = True
    """Whether it takes `response_format`."""


UNKNOWN = Server()
OPENAI = Server(sizes=((1024, 1024), (1536, 1024), (1024, 1536)), asks_format=False)
SERVERS: Mapping[str, Server] = {
    "vllm": Server(DIFFUSERS | {"strength", "mask_image"}),
    "vllm-omni": Server(DIFFUSERS | {"strength", "mask_image"}),
    "sglang": Server(DIFFUSERS),
    "openai": OPENAI,
    "openai-internal": OPENAI,
    "system": OPENAI,
}
"""`owned_by` of its models → the server."""
