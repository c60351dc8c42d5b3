"""The HTTP side of the agent: pages, API, metrics. It only reads."""

from monitor.web.application import web_app

__all__ = ["web_app"]
