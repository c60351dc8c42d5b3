"""Documents, as the commands write them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.cli.sites import Site
from tests.cli.test_claim_commands import OF_ACME, owing, uid_of

__all__ = ["owing"]


@pytest.mark.parametrize("form", ["json", "csv", "html", "pdf", "text"])
def test_a_claim_is_exported_in_every_form_and_in_the_same_bytes_each_time(owing: Site, form: str) -> None:
    asked = ("claim", "export", uid_of(owing)[:8], "--format", form, "--language", "fr")
    first, again = owing.path / "first", owing.path / "again"
    for file in (first, again):
        done = owing.run(*asked, "--output", file)
        assert done.exit_code == 0, done.output
    assert first.read_bytes() == again.read_bytes()
    assert owing.run(*asked).stdout_bytes == first.read_bytes()
    assert first.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    return int(next(one for one in _status() if one.startswith("Umask:")).split()[1], 8)


def _status() -> list[str]:
    return Path("/proc/self/status").read_text().splitlines()


def test_a_file_that_is_there_is_left_alone_unless_forced(owing: Site) -> None:
    file = owing.path / "pack.json"
    file.write_text("mine")
    asked = ("claim", "export", uid_of(owing), "--output", file)
    refused = owing.run(*asked)
    assert (refused.exit_code, file.read_text()) == (1, "mine")
    assert "--force" in refused.stderr
    assert owing.run(*asked, "--force").exit_code == 0
    assert json.loads(file.read_text())["format"] == "ringback-claim-pack/1"
    assert not [one for one in owing.path.iterdir() if one.name.startswith(".")]


def test_a_portfolio_is_exported_by_customer_and_month(owing: Site) -> None:
    pack = json.loads(owing.run("claim", "export", *OF_ACME).stdout)
    assert (pack["customer"], pack["totals"][0]["amount"]) == ("ACME S.A.", "60.00")
    assert owing.run("claim", "export", "--customer", "Nobody", "--month", "2026-10").exit_code == 1
    assert owing.run("claim", "export", "--customer", "ACME S.A.").exit_code == 2
    assert owing.run("claim", "export").exit_code == 2
    assert owing.run("claim", "export", "00000000").exit_code == 1


def test_the_schema_is_printed(site: Site) -> None:
    assert json.loads(site.run("claim", "export", "--schema").stdout)["title"] == "Pack"


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Rapport"), ("en", "Availability"), ("de", "Bericht")]
)
def test_a_report_is_written_as_a_page_and_as_pdf(owing: Site, language: str, title: str) -> None:
    html, pdf = owing.path / "r.html", owing.path / "r.pdf"
    asked = ("report", "2026-10", "--html", html, "--pdf", pdf, "--language", language)
    done = owing.run(*asked)
    assert done.exit_code == 0, done.output
    before = html.read_bytes(), pdf.read_bytes()
    assert owing.run(*asked).exit_code == 1
    assert owing.run(*asked, "--force").exit_code == 0
    assert (html.read_bytes(), pdf.read_bytes()) == before
    text = "\n".join(one.extract_text() for one in PdfReader(io.BytesIO(before[1])).pages)
    for told in (title.lower(), "60", "acme-trunk"):
        assert told in text.lower()
        assert told in before[0].decode().lower()


def test_a_month_without_services_writes_no_document(owing: Site) -> None:
    file = owing.path / "r.html"
    assert owing.run("report", "2020-10", "--html", file).exit_code == 1
    assert not file.exists()


def test_a_pack_and_the_one_in_a_pdf_are_verified_on_another_machine(owing: Site, tmp_path: Path) -> None:
    uid, elsewhere = uid_of(owing)[:8], tmp_path / "elsewhere"
    elsewhere.mkdir()
    for form in ("json", "pdf"):
        assert (
            owing.run(
                "claim", "export", uid, "--format", form, "--output", elsewhere / f"pack.{form}"
            ).exit_code
            == 0
        )
    (attached,) = PdfReader(elsewhere / "pack.pdf").attachments["claim-pack.json"]
    (elsewhere / "attached.json").write_bytes(attached)
    (elsewhere / "kept.pem").write_text(owing.run("verify", "--public-key").stdout)
    other = Site(elsewhere)
    for name in ("pack.json", "attached.json"):
        shown = other.run("verify", elsewhere / name, "--key", elsewhere / "kept.pem")
        assert (shown.exit_code, "everything fits" in shown.stdout) == (0, True), shown.output
    (elsewhere / "pack.json").write_bytes(attached.replace(b"60.00", b"69.00"))
    shown = other.run("verify", elsewhere / "pack.json", "--key", elsewhere / "kept.pem")
    assert (shown.exit_code, "does not fit: the document is not what was signed" in shown.stdout) == (1, True)
    told = other.run("verify", elsewhere / "pack.pdf")
    assert (told.exit_code, "pdfdetach" in told.stderr) == (1, True)
