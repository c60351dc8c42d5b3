"""Communities are secrets: they come from files, such as the credentials that systemd hands to a service."""

from __future__ import annotations

import os
from pathlib import Path


class Unreadable(OSError):
    """There is no community to ask with. ``str()`` says so without naming what was in the file."""


def read_community(file: Path) -> str:
    """The community in the first line of ``file``; a relative path is looked up among systemd's credentials
    where there are any (``$CREDENTIALS_DIRECTORY``). Raises Unreadable.
    """
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / file
    try:
        text = path.read_bytes()[:1024].decode().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable("community file not readable") from error
    if not text:
        raise Unreadable("community file is empty")
    return text
