"""Packs on another machine: whatever was changed in one is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.claims.pack import canonical
from monitor.claims.verifying import verify_pack
from monitor.ledger.signed_document import sign_document
from monitor.store.signing_key import SigningKey, signing_key
from tests.claims.packs import of_customer
from tests.claims.test_pack import owing
from tests.ledger.books import Book

EVIDENCE = (
    b'{"at":"2026-10-10T10:00:00+02:00","check":"c","probes":[{"detail":?,"reason":"r","round_trip_us":1,'
    b'"sent":"2026-10-10T10:00:00+02:00","verdict":"bad"}],"reason":"r","state":"down","vantage":"lux"}'
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def pack(book: Book) -> dict[str, Any]:
    found: dict[str, Any] = dict(of_customer(owing(book)))
    return found


def exported(pack: dict[str, Any], key: SigningKey) -> bytes:
    return canonical(sign_document(pack, key))  # type: ignore[arg-type]


def test_a_pack_fits_by_its_own_key_and_by_the_one_that_was_kept(
    pack: dict[str, Any], key: SigningKey
) -> None:
    content = exported(pack, key)
    for trusted in (None, {key.signer}):
        verdict = verify_pack(content, trusted)
        assert (verdict.fits, verdict.signer, verdict.claims) == (True, key.signer, 1), verdict.misfits


def test_every_single_bit_that_is_changed_is_found(pack: dict[str, Any], key: SigningKey) -> None:
    content = exported(pack, key)
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        assert not verify_pack(bytes(changed)).fits, (bit, content[bit // 8 - 20 : bit // 8 + 20])


def test_another_key_is_found(pack: dict[str, Any], key: SigningKey, tmp_path: Path) -> None:
    other = signing_key(tmp_path)
    assert verify_pack(exported(pack, other)).fits
    (misfit,) = verify_pack(exported(pack, other), {key.signer}).misfits
    assert "no key that is trusted" in misfit


def test_a_pack_without_a_signature_does_not_fit(pack: dict[str, Any]) -> None:
    assert verify_pack(canonical(pack)).misfits == ("the document has no signature",)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda claim: claim.update(amount="61.00"), "it claims 61.00, and the month owes 60.00"),
        (
            lambda claim: claim["figures"]["credit"].update(amount="61.00"),
            "the terms give 60.00 EUR, not 61.00",
        ),
        (
            lambda claim: claim["figures"].update(down_ms=7_200_001),
            "come to 7200000 ms of downtime, not 7200001",
        ),
        (lambda claim: claim["figures"].update(availability="0.9"), "the availability does not follow"),
        (lambda claim: claim["figures"].update(breach=False), "whether the guarantee was broken"),
    ],
)
def test_numbers_that_do_not_follow_are_found_though_they_are_signed(
    pack: dict[str, Any], key: SigningKey, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    wrong = copy.deepcopy(pack)
    change(wrong["claims"][0])
    assert any(told in misfit for misfit in verify_pack(exported(wrong, key)).misfits)


@pytest.mark.parametrize("odd", [b"NaN", b"1e999", b'"\\ud800"', b"9007199254740993"])
def test_what_has_no_canonical_form_is_told(pack: dict[str, Any], key: SigningKey, odd: bytes) -> None:
    content = exported(pack, key).replace(
        b'"evidence":[]', b'"evidence":[' + EVIDENCE.replace(b"?", odd) + b"]"
    )
    assert odd in content
    (misfit,) = verify_pack(content).misfits
    assert misfit.startswith("expected a claim pack in JSON")


def test_a_currency_that_is_none_is_told(pack: dict[str, Any], key: SigningKey) -> None:
    wrong = copy.deepcopy(pack)
    wrong["claims"][0]["figures"]["credit"]["currency"] = "ZZZ"
    assert any("not ZZZ" in misfit for misfit in verify_pack(exported(wrong, key)).misfits)


def test_totals_are_sums(pack: dict[str, Any], key: SigningKey) -> None:
    wrong = {**pack, "totals": [{"currency": "EUR", "amount": "60.01"}]}
    assert verify_pack(exported(wrong, key)).misfits == ("the totals are not the sums of the claims",)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_what_is_no_pack_is_told(content: bytes) -> None:
    verdict = verify_pack(content)
    assert (verdict.fits, verdict.signer) == (False, None)
    assert verdict.misfits[0].startswith("expected a claim pack")
