"""What several files of SIP tests talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probes.sip_peers import PASSWORD, kamailio


@pytest.fixture(scope="module", params=["MD5", "SHA-256"])
def registrar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Kamailio that challenges with this algorithm."""
    with kamailio(tmp_path_factory.mktemp("kamailio"), algorithm=request.param) as port:
        yield port


@pytest.fixture(scope="session")
def password(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the password of every account."""
    file: Path = tmp_path_factory.mktemp("secrets") / "password"
    file.write_text(f"{PASSWORD}\n")
    return file
