"""Opening the database: for the one writer, or for reading."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from sqlite_utils import Database

from monitor.store.schema import migrations


class StoreError(Exception):
    """The database cannot be used; the message says which file and why."""


class InUse(StoreError):
    """Another process is the writer."""


class WriterLock:
    """Holds the right to write beside the database file: SQLite alone would let two processes take turns."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise InUse(f"{database}: another process is writing to it") from None

    def release(self) -> None:
        os.close(self._file)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The writing connection, its schema up to date. Whoever calls holds the WriterLock. Raises StoreError."""
    try:
        # the group may write: whoever reads first makes the -wal and -shm files, with the mode of this one
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        migrations.apply(Database(connection, execute_plugins=False))
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}") from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises StoreError where there is no database (yet), or an older one."""
    if not path.exists():
        raise StoreError(f"{path}: there is no database yet; the agent and `ringback import` make it")
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = ON")
        behind = migrations.pending(Database(connection, execute_plugins=False))
    except (sqlite3.Error, UnicodeDecodeError) as error:  # of a damaged file
        raise StoreError(f"{path}: {error}") from error
    if behind:
        raise StoreError(f"{path}: written by an older version; start the agent once to bring it up to date")
    return connection


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
