"""The key that seals are signed with is made once, for its owner alone; the public one is for everybody."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from monitor.store.database import StoreError
from monitor.store.signing_key import (
    is_signed,
    key_of_command,
    private_path,
    public_keys,
    public_path,
    public_pem,
    signing_key,
)


def test_the_key_is_made_at_first_and_stays(tmp_path: Path) -> None:
    first = signing_key(tmp_path)
    assert signing_key(tmp_path).signer == first.signer
    assert private_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert public_keys(public_path(tmp_path)) == {first.signer}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["signing-key.pem", "signing-key.pub"]


def test_the_private_key_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        signing_key(tmp_path)
    finally:
        os.umask(before)
    assert private_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_signature_is_of_one_key_over_one_message(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    signature = key.sign(b"message")
    assert is_signed(key.signer, signature, b"message")
    assert not is_signed(key.signer, signature, b"massage")
    assert not is_signed(key.signer, signature[:-1], b"message")
    assert not is_signed(bytes(32), signature, b"message")
    assert not is_signed(b"short", signature, b"message")


def test_openssl_takes_the_public_key_and_confirms_a_signature(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    (tmp_path / "m").write_bytes(b"message")
    (tmp_path / "s").write_bytes(key.sign(b"message"))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", str(public_path(tmp_path))]
    words += ["-in", str(tmp_path / "m"), "-sigfile", str(tmp_path / "s")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_new_key_leaves_the_public_keys_of_earlier_ones(tmp_path: Path) -> None:
    first = signing_key(tmp_path).signer
    private_path(tmp_path).unlink()
    second = signing_key(tmp_path).signer
    assert first != second
    assert public_keys(public_path(tmp_path)) == {first, second}


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused_with_its_file_named(tmp_path: Path, content: str) -> None:
    for path in (private_path(tmp_path), public_path(tmp_path)):
        path.write_text(content)
    with pytest.raises(StoreError, match=r"signing-key\.pem: expected"):
        signing_key(tmp_path)
    with pytest.raises(StoreError, match=r"signing-key\.pub: expected"):
        public_keys(public_path(tmp_path))


def test_a_command_makes_a_key_only_where_the_state_directory_is_its_users_own(tmp_path: Path) -> None:
    assert key_of_command(tmp_path / "nowhere") is None
    key = key_of_command(tmp_path)
    assert key is not None
    assert public_pem(key.signer) == public_path(tmp_path).read_text()
    if os.geteuid() == 0:
        other = tmp_path / "other"
        other.mkdir()
        os.chown(other, 65534, 65534)
        assert key_of_command(other) is None
        assert list(other.iterdir()) == []
