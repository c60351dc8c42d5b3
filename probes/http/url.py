"""The URLs that can be asked: of targets, and of redirects."""

from __future__ import annotations

from yarl import URL

from probes.resolve import literal


def askable(url: URL) -> URL:
    """The URL without its fragment. Raises ValueError that says why there is nobody to ask."""
    host, port = url.host, url.port  # either raises ValueError for what is none
    if url.scheme not in ("http", "https"):
        raise ValueError("neither http nor https")
    if not host or not port:
        raise ValueError("no host, or no port")
    if host.replace(".", "").isdecimal() and literal(host) is None:
        raise ValueError(f"{host} is no address")  # others read 127.1, each in its own way
    return url.with_fragment(None)
