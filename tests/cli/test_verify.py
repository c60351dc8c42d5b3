"""`ringback verify`, from the first record to one that somebody changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.store.signing_key import public_keys, public_path, signing_key
from tests.cli.sites import Site


@pytest.fixture
def claimed(site: Site) -> Site:
    """October was imported, and its entitlement drafted."""
    site.json("import", "history", site.history())
    site.json("credits", "2026-10")
    return site


def tamper(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("DROP TRIGGER imported_spans_no_update")
        db.execute("UPDATE imported_spans SET to_ms = to_ms + 1 WHERE state = 'down'")
        db.commit()


def test_what_commands_wrote_is_sealed_and_fits(claimed: Site) -> None:
    verdict = claimed.json("verify")
    assert verdict["fits"]
    assert verdict["misfits"] == []
    assert verdict["seals"] == 2
    assert verdict["unsealed_records"] == 0
    assert verdict["signers"] == [signing_key(claimed.path).signer.hex()]
    assert verdict["derived"] == {"services": 1, "months": 1, "amounts": 1, "not_computed_again": 0}
    shown = claimed.run("verify")
    assert shown.exit_code == 0
    assert "everything fits" in shown.stdout
    assert f"last seal {verdict['last_seal']}" in shown.stdout


def test_a_changed_record_ends_it_with_1_and_is_named(claimed: Site) -> None:
    tamper(claimed.database)
    shown = claimed.run("verify")
    assert shown.exit_code == 1
    assert "does not fit: imported_spans 2 (acme-trunk): is not what was sealed" in shown.stdout
    told = claimed.run("verify", "--json")
    assert told.exit_code == 1
    verdict = json.loads(told.stdout)
    assert verdict["misfits"][0]["key"] == 2
    assert verdict["derived"] is None


def test_a_copy_is_verified_elsewhere_with_the_key_that_was_kept(claimed: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    kept = elsewhere / "kept.pub"
    kept.write_text(claimed.run("verify", "--public-key").stdout)
    assert public_keys(kept) == public_keys(public_path(claimed.path))
    copy = shutil.copy(claimed.database, elsewhere / "copy.db")
    claimed.config.unlink()  # there is no configuration elsewhere
    shown = claimed.run("verify", copy, "--key", kept)
    assert shown.exit_code == 0, shown.output
    assert "give --key" in claimed.run("verify", copy).stderr
    signing_key(elsewhere)
    shown = claimed.run("verify", copy, "--key", public_path(elsewhere))
    assert shown.exit_code == 1
    assert "no key that is trusted" in shown.stdout


def test_a_seal_that_was_noted_must_still_be_there(claimed: Site) -> None:
    noted = claimed.json("verify")["last_seal"]
    assert claimed.run("verify", "--seal", noted).exit_code == 0
    assert claimed.run("verify", "--seal", "00" * 32).exit_code == 1
    assert claimed.run("verify", "--seal", "00").exit_code == 2


def test_before_the_first_key_there_is_none_to_print(site: Site) -> None:
    shown = site.run("verify", "--public-key")
    assert shown.exit_code == 1
    assert "no key yet" in shown.stderr


def test_a_rehearsal_changes_nothing_that_is_sealed(claimed: Site) -> None:
    window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00", "--reason", "new SBC")
    claimed.run("exclude", "add", "--all", "--class", "maintenance", *window, "--dry-run")
    assert claimed.json("verify")["seals"] == 2
