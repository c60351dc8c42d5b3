"""The process that computes months: answers what is due of the services that it is asked for.

It starts whenever there may be something to freeze, so it imports no more than that takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from monitor.config.values import ServiceConfig
from monitor.ledger.freezing import Computed, compute
from monitor.sla.months import Month
from monitor.store.database import StoreError, open_for_reading

NICE = 10
"""How far the process stands back where there is no processor for all."""

LENGTH = 4
"""Bytes before each answer."""

ANSWER = 1 << 20
"""Bytes of an answer, at a high estimate: there is room for it, so that the process can go on."""

Services = Sequence[ServiceConfig]


def _answer_all(database: Path) -> None:
    """Until nobody asks any more. An error is the last answer."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    # sys.stdout may be unbuffered (PYTHONUNBUFFERED), and then it drops the rest of a write that a stop cut in two
    with open(1, "wb", closefd=False) as answers:
        with contextlib.suppress(OSError):
            fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, ANSWER)
        try:
            with closing(open_for_reading(database)) as db:
                for now_ms, month, services in _questions():
                    db.execute("BEGIN")  # each time as the database is then
                    _tell(answers, compute(db, services, now_ms, month))
                    db.execute("ROLLBACK")
        except (StoreError, sqlite3.Error) as error:
            _tell(answers, str(error))


def _questions() -> Iterator[tuple[int, Month | None, Services]]:
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(sys.stdin.buffer)  # noqa: S301 - from the agent


def _tell(answers: BinaryIO, answer: Computed | str) -> None:
    pickled = pickle.dumps(answer)
    answers.write(len(pickled).to_bytes(LENGTH, "big") + pickled)
    answers.flush()


if __name__ == "__main__":
    _answer_all(Path(sys.argv[1]))
