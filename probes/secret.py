"""Secrets come from files, such as the credentials that systemd hands to a service; never from a command line."""

from __future__ import annotations

import os
from pathlib import Path


class Unreadable(OSError):
    """A secret that is not there: we cannot ask. ``str()`` says so without naming what was in the file."""


def read_secret(file: Path, what: str) -> str:
    """The first line of ``file``; a relative path is looked up among systemd's credentials where there are any
    (``$CREDENTIALS_DIRECTORY``). ``what`` it is ("community") stands in the errors. Raises Unreadable.
    """
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / file
    try:
        with path.open("rb") as opened:
            text = opened.read(4096).decode().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{what} file not readable") from error
    if not text:
        raise Unreadable(f"{what} file is empty")
    return text
