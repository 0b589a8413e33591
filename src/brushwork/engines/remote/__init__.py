"""Another server that speaks the OpenAI image API, as an engine. Needs neither torch nor weights."""

from brushwork.engines.remote.engine import RemoteEngine

__all__ = ["RemoteEngine"]
