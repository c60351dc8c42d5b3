"""Documents that carry their signature: what was signed is told from what was not, on any machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.errors import LedgerError
from monitor.ledger.signed_document import canonical, sign_document, verify_document
from monitor.store.signing_key import SigningKey, signing_key

DOCUMENT = {
    "service": "acme-trunk",
    "customer": "ACME S.à r.l. – “Zürich” 𝄞",
    "down_ms": 7_200_000,
    "credit": {"amount": "60.00", "currency": "EUR"},
    "outages": [{"from": "2026-10-10T10:00:00+02:00", "open": False, "last_good": None}],
}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53) + 1, (1 << 53) - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("key"))


def test_a_signed_document_is_confirmed_after_a_way_through_any_json_program(key: SigningKey) -> None:
    signed = sign_document(DOCUMENT, key)
    assert verify_document(signed) == key.signer
    again = json.loads(json.dumps(signed, indent=3, sort_keys=True))
    assert verify_document(again, {key.signer}) == key.signer


def test_every_single_bit_changed_in_the_file_is_found(key: SigningKey) -> None:
    text = json.dumps(sign_document(DOCUMENT, key), ensure_ascii=False).encode()
    signed = json.loads(text)
    for bit in range(len(text) * 8):
        raw = bytearray(text)
        raw[bit // 8] ^= 1 << bit % 8
        try:
            document = json.loads(raw)
        except ValueError:
            continue
        if document == signed:  # white space
            continue
        with pytest.raises(LedgerError):
            verify_document(document)


def test_a_document_that_another_key_signed_is_found(key: SigningKey, tmp_path: Path) -> None:
    signed = sign_document(DOCUMENT, signing_key(tmp_path))
    with pytest.raises(LedgerError, match="no key that is trusted"):
        verify_document(signed, {key.signer})


def test_a_seal_cannot_be_passed_off_as_a_document(key: SigningKey) -> None:
    signed = sign_document(DOCUMENT, key)
    signed["signature"]["value"] = sign_document({"a": 1}, key)["signature"]["value"]
    with pytest.raises(LedgerError, match="not what was signed"):
        verify_document(signed)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"signature": None},
        {"signature": {}},
        {"signature": {"algorithm": "none", "signer": "", "value": ""}},
        {"signature": {"algorithm": "Ed25519", "signer": "zz", "value": "=="}},
        {"signature": {"algorithm": "Ed25519", "signer": 3, "value": None}},
        {"a": float("inf"), "signature": {"algorithm": "Ed25519", "signer": "00", "value": "AA=="}},
    ],
)
def test_what_carries_no_signature_that_can_be_read_is_refused(document: object) -> None:
    with pytest.raises(LedgerError):
        verify_document(document)


def test_what_has_no_exact_form_is_not_signed(key: SigningKey) -> None:
    unsignable: list[dict[str, Any]] = [
        {"a": float("inf")},
        {"a": 1 << 53},
        {"a": {1: 2}},
        {"a": "\ud800"},
        sign_document({}, key),
    ]
    for document in unsignable:
        with pytest.raises(ValueError):
            sign_document(document, key)


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    """Its example of sorting (section 3.2.3), and of escaping (3.2.2.2)."""
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical(keys))) == [
        "\r",
        "1",
        "\x80",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]
    assert canonical("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f") == (
        '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    )


@given(VALUES)
def test_a_value_is_told_by_its_canonical_form(value: object) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)
