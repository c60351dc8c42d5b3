"""Files that a command reads; and writes: whole or not at all, never over one that is there unless asked to."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

import click

from monitor.cli.failures import Failure

FORCE = click.option("--force", is_flag=True, help="Write over a file that is there.")
LANGUAGE = click.option(
    "--language", type=click.Choice(("fr", "en", "de")), default="en", show_default=True, help="Of documents."
)


def read_file(path: Path) -> tuple[bytes, str]:
    """Content and name; of standard input where it is "-". Raises OSError."""
    if str(path) == "-":
        return sys.stdin.buffer.read(), "standard input"
    return path.read_bytes(), path.name


def write_file(path: Path, content: bytes, force: bool) -> None:
    """Raises Failure where there is a file and ``force`` is not given, OSError where it cannot be written."""
    beside = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if force:
            beside.replace(path)
        else:
            path.hardlink_to(beside)  # fails where there is a file, also one that came just now
    except FileExistsError:
        raise Failure(f"{path}: there is a file already; --force writes over it") from None
    finally:
        beside.unlink(missing_ok=True)
