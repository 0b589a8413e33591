"""Brushwork: an open, self-hosted server for a Midjourney-style image API."""

from importlib.metadata import version

__version__ = version("brushwork")
