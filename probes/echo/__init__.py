"""The far end of calls: a user agent that answers, and sends every caller's audio back."""

from probes.echo.server import EchoServer

__all__ = ["EchoServer"]
