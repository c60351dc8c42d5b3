"""The Ed25519 key that seals and documents are signed with: made once, kept in the state directory.

Whoever can read the private key can forge; its file is the service's user's alone. The public key lies beside
it for everybody to take, and should be kept elsewhere, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from monitor.store.database import StoreError

_BEGIN = "-----BEGIN PUBLIC KEY-----"


class SigningKey:
    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.signer = private.public_key().public_bytes_raw()
        """The public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def private_path(state_dir: Path) -> Path:
    return state_dir / "signing-key.pem"


def public_path(state_dir: Path) -> Path:
    return state_dir / "signing-key.pub"


def signing_key(state_dir: Path) -> SigningKey:
    """The key of a state directory, made there at first. Raises StoreError with what to do."""
    path = private_path(state_dir)
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    key = read_key(path)
    _publish(public_path(state_dir), key.signer)
    return key


def read_key(path: Path) -> SigningKey:
    """The key in a file. Raises StoreError with what was expected there."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise StoreError(f"{path}: expected an Ed25519 private key in PEM, without a password") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise StoreError(f"{path}: expected an Ed25519 private key, not one of another kind")
    return SigningKey(private)


def key_of_command(state_dir: Path) -> SigningKey | None:
    """The key for a command that writes while no agent runs; None: it is not this user's, the agent will seal.

    A command makes the key only where the state directory is its user's own: made by another one, the agent
    could not read it.
    """
    path = private_path(state_dir)
    try:
        own = path.exists() or state_dir.stat().st_uid == os.geteuid()
        readable = os.access(path if path.exists() else state_dir, os.R_OK | os.W_OK)
    except OSError:
        return None
    return signing_key(state_dir) if own and readable else None


def is_signed(signer: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is of that public key over that message."""
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(path: Path) -> frozenset[bytes]:
    """The public keys of a file in PEM, one after the other. Raises StoreError."""
    try:
        text = path.read_text("ascii")
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise StoreError(f"{path}: expected public keys in PEM") from None
    return frozenset(_public_keys(path, text))


def public_pem(signer: bytes) -> str:
    """As ``openssl pkey -pubin`` reads it."""
    key = Ed25519PublicKey.from_public_bytes(signer)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def _public_keys(path: Path, text: str) -> Iterable[bytes]:
    _, *parts = text.split(_BEGIN)
    if not parts:
        raise StoreError(f"{path}: expected public keys in PEM")
    for part in parts:
        try:
            key = serialization.load_pem_public_key((_BEGIN + part).encode("ascii"))
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise StoreError(f"{path}: expected Ed25519 public keys in PEM")
        yield key.public_bytes_raw()


def _make(path: Path) -> None:
    """A new key, whole or not at all; of two that are made at once the first one stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
    finally:
        aside.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _publish(path: Path, signer: bytes) -> None:
    """The file of public keys has this one; earlier ones stay, for their seals do."""
    try:
        there = public_keys(path) if path.exists() else frozenset()
        if signer not in there:
            with path.open("a", encoding="ascii") as out:
                out.write(public_pem(signer))
            path.chmod(0o644)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
