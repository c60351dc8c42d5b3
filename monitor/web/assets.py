"""The style sheet, the script and the mark: read once, served from memory."""

from __future__ import annotations

import hashlib
from importlib import resources

from aiohttp import web

from monitor.web.asking import NotThere

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES = ("ringback.css", "ringback.js", "ringback.svg")


class Assets:
    """Served under their names; pages add ``tag`` to the address, so that browsers keep them until they change."""

    def __init__(self) -> None:
        directory = resources.files("monitor.web").joinpath("static")
        self._content = {name: directory.joinpath(name).read_bytes() for name in _NAMES}
        self.tag = hashlib.sha256(b"".join(self._content.values())).hexdigest()[:12]

    async def serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._content:
            raise NotThere(f"there is no {name!r:.80}")
        kept = "max-age=31536000, immutable" if request.query.get("v") == self.tag else "no-cache"
        return web.Response(
            body=self._content[name],
            content_type=_TYPES[name.rpartition(".")[2]],
            charset="utf-8",
            headers={"Cache-Control": kept},
        )
