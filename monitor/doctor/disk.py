"""Where the records go."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from monitor.doctor.finding import Finding
from monitor.store.database import StoreError, open_for_reading

_MIB = 1 << 20
_SCARCE = 1024 * _MIB
_FULL = 100 * _MIB


def state_directory(directory: Path) -> Iterator[Finding]:
    """May we write there, and is there room?"""
    place = next(parent for parent in (directory, *directory.parents) if parent.exists())
    if not place.is_dir():
        yield Finding(
            "state directory", "fail", f"{place} is not a directory", "set agent.state_dir to another one"
        )
        return
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            "state directory",
            "fail",
            f"{place} may not be written to by this user (uid {os.geteuid()})",
            "run this as the service's user, or join its group: `usermod --append --groups ringback NAME`",
        )
    elif place == directory:
        yield Finding("state directory", "ok", f"{directory} may be written to")
    else:
        yield Finding("state directory", "ok", f"{directory} is not there yet; the agent makes it in {place}")
    yield _room(place)


def _room(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    told = f"{free // _MIB:,} MiB free at {place}"
    if free < _FULL:
        return Finding("disk", "fail", told, "make room: what cannot be written is unknown time")
    if free < _SCARCE:
        return Finding("disk", "warn", told, "make room soon")
    return Finding("disk", "ok", told)


def database(path: Path) -> Finding:
    """Is it whole, and does this version know its form?"""
    if not path.exists():
        return Finding("database", "ok", f"{path} is not there yet; the agent makes it")
    parts = (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")))
    if locked := [str(part) for part in parts if part.exists() and not os.access(part, os.W_OK)]:
        told = f"{', '.join(locked)} may not be written to by this user (uid {os.geteuid()})"
        return Finding("database", "fail", told, "give it to the service: `chown ringback:ringback FILE`")
    try:
        db = open_for_reading(path)
        try:
            problems = [row[0] for row in db.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
        finally:
            db.close()
    except StoreError as error:
        return Finding("database", "fail", str(error), "see docs/install.md on permissions and upgrades")
    except sqlite3.Error as error:
        return _damaged(path, str(error))
    if problems:
        return _damaged(path, "; ".join(problems))
    return Finding(
        "database", "ok", f"{path}: {path.stat().st_size // _MIB:,} MiB, quick_check found nothing"
    )


def _damaged(path: Path, why: str) -> Finding:
    advice = "stop the agent, keep a copy of the file, and bring a backup back"
    return Finding("database", "fail", f"{path} is damaged: {why}", advice)
