"""The program's own foundations."""

from __future__ import annotations

import platform
import sqlite3

from monitor.doctor.finding import Finding

_WAL_RESET_MENDED = (3, 51, 3)


def python() -> Finding:
    return Finding("python", "ok", f"{platform.python_implementation()} {platform.python_version()}")


def sqlite() -> Finding:
    message = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _WAL_RESET_MENDED:
        message += (
            "; before 3.51.3 two writers at once can corrupt a database (WAL reset). Ringback has one writer:"
            " open the database read-only with other programs"
        )
    return Finding("sqlite", "ok", message)


def snmp_ciphers() -> Finding:
    """Encrypt and decrypt by pysnmp: where its cipher is missing it fails as if the peer did."""
    try:
        # In this order: each of the two imports the other.
        from pysnmp.proto.rfc1902 import OctetString  # noqa: PLC0415
        from pysnmp.proto.secmod.rfc3414 import service  # noqa: F401, PLC0415
        from pysnmp.proto.secmod.rfc3826.priv.aes import Aes  # noqa: PLC0415

        cipher, key, text = Aes(), OctetString(b"k" * 16), b"sysUpTime"
        secret, salt = cipher.encrypt_data(key, (1, 1, b""), text)
        works = secret != text and cipher.decrypt_data(key, (1, 1, salt), secret) == text
    except Exception as error:  # whatever pysnmp or the cipher's library raises, the answer is no
        return _no_cipher(str(error) or type(error).__name__)
    return Finding("snmp ciphers", "ok", "AES encrypts and decrypts") if works else _no_cipher("wrong result")


def _no_cipher(why: str) -> Finding:
    return Finding(
        "snmp ciphers", "warn", f"AES does not work: {why}", "install Ringback anew, with cryptography >= 45"
    )
