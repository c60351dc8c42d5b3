"""Changes handed to the running agent, which alone may write: HTTP over a UNIX socket beside its state."""

from monitor.control.client import post, socket_path
from monitor.control.server import control_app

__all__ = ["control_app", "post", "socket_path"]
