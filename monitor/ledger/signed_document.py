"""A JSON document with a signature in it, which any program can check: Ed25519 over its canonical form.

The canonical form is that of RFC 8785, but that real numbers, which only the notes of probers have, stand as Python
writes them: the shortest digits that give the same number. Amounts are decimal strings, and integers stay below
2^53. What is signed is the line ``ringback document`` and the canonical form of the
document without its ``signature``.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import Any

from monitor.ledger.errors import LedgerError
from monitor.store.signing_key import SigningKey, is_signed

SIGNATURE = "signature"
ALGORITHM = "Ed25519"

_DOMAIN = b"ringback document\n"
_EXACT = 1 << 53


def sign_document(document: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """The document with its signature. Raises ValueError where it has one, or has no canonical form."""
    if SIGNATURE in document:
        raise ValueError("the document is signed already")
    signature = key.sign(_DOMAIN + canonical(document))
    return {
        **document,
        SIGNATURE: {
            "algorithm": ALGORITHM,
            "signer": key.signer.hex(),
            "value": b64encode(signature).decode("ascii"),
        },
    }


def verify_document(document: object, trusted: Collection[bytes] | None = None) -> bytes:
    """The public key that signed the document. Raises LedgerError where it is not what was signed.

    ``trusted``: the keys that it may be signed by; None: any, and whoever asks compares the one returned.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get(SIGNATURE), Mapping):
        raise LedgerError("the document has no signature")
    stated = document[SIGNATURE]
    if stated.keys() != {"algorithm", "signer", "value"} or stated["algorithm"] != ALGORITHM:
        raise LedgerError(f"expected a signature of {ALGORITHM} with its signer and value")
    try:
        signer = bytes.fromhex(stated["signer"])
        signature = b64decode(stated["value"], validate=True)
        message = _DOMAIN + canonical({key: value for key, value in document.items() if key != SIGNATURE})
    except (ValueError, TypeError) as error:
        raise LedgerError(f"the signature cannot be read: {error}") from None
    if (signer.hex(), b64encode(signature).decode("ascii")) != (stated["signer"], stated["value"]):
        raise LedgerError("the signature is not written as it is made")
    if not is_signed(signer, signature, message):
        raise LedgerError("the document is not what was signed")
    if trusted is not None and signer not in trusted:
        raise LedgerError(f"the document is signed by {signer.hex()}, which is no key that is trusted")
    return signer


def canonical(value: object) -> bytes:
    """The one form of a JSON value. Raises ValueError where it has none here."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _ordered(value: object) -> object:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("expected keys that are texts")
        names = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _ordered(value[key]) for key in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(one) for one in value]
    if value is None or isinstance(value, (str, bool)) or (isinstance(value, int) and abs(value) < _EXACT):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"expected text, a number, true, false or null, not {value!r:.40}")
