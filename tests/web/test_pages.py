"""What people read."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pytest

from monitor.track.states import State
from monitor.web.overview import PAGE, SLICE, Asked, Selection
from monitor.web.pages import OUTPUTS, bundled
from tests.web.house import LINK, PBX, TRUNK, House, crowd


def text_of(html: str) -> str:
    """What is to be read on a page, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).split())


def read(house: House, path: str, status: int = 200) -> str:
    async def get() -> str:
        async with house.served() as site:
            return await site.text(path, status)

    return asyncio.run(get())


def shown(page: str) -> list[str]:
    return re.findall(r'id="s-([^"]+)"', page)


def test_the_status_page_says_what_is_wrong_first(house: House) -> None:
    page = read(house, "/")
    assert "<h1>1 of 3 services is down</h1>" in page
    assert shown(page) == [TRUNK, LINK, PBX]


def test_an_open_outage_shows_when_it_began_and_cannot_have_begun_earlier(house: House) -> None:
    text = text_of(read(house, "/"))
    assert "down for 12 min" in text
    assert "timeout, since 13:50:00" in text
    assert "last good 13:49:55 first bad 13:50:00" in text


def test_the_running_month_and_the_last_one_stand_beside_a_service(house: House) -> None:
    text = text_of(read(house, f"/?q={TRUNK}"))
    assert "99.9556 % guaranteed 99.90 %" in text
    assert "12 min 31 s down 30 min 41 s left" in text
    assert "2026-10 99.7315 % credit 60.00 EUR" in text


def test_what_could_not_be_asked_is_unknown_and_says_why(house: House) -> None:
    text = text_of(read(house, "/?state=unknown"))
    assert "unknown not asked yet" in text
    assert "tcp://127.0.0.1:443 no route" in text


def test_names_are_text_whatever_they_contain(house: House) -> None:
    page = read(house, "/")
    assert "&lt;b&gt;Fibre&lt;/b&gt; &amp; co" in page
    assert "<b>Fibre" not in page


def test_services_are_found_by_state_and_by_text(house: House) -> None:
    assert shown(read(house, "/?state=down")) == [TRUNK]
    assert shown(read(house, "/?q=PBX")) == [PBX]
    assert shown(read(house, "/?q=voice")) == [TRUNK]
    assert "No service fits" in read(house, "/?state=degraded")
    assert "1 of 3 services is down" in read(house, "/?q=PBX")


def test_a_page_is_bounded_and_the_next_one_goes_on(house: House) -> None:
    crowd(house.live, 2 * PAGE)
    first, second, third, beyond = (read(house, f"/?page={n}") for n in (1, 2, 3, 9))
    everything = [*shown(first), *shown(second), *shown(third)]
    assert everything[:3] == [TRUNK, LINK, PBX]
    assert len(everything) == len(set(everything)) == 2 * PAGE + 3
    assert shown(beyond) == []
    assert len(first) < 4_000 * PAGE
    assert "page 1 of 3" in text_of(first)
    assert 'href="/?page=2"' in first


def test_a_page_is_put_together_in_bounded_pieces(house: House) -> None:
    crowd(house.live, 2 * SLICE)
    assert [len(piece) for piece in bundled(["x"] * (2 * OUTPUTS + 7))] == [OUTPUTS, OUTPUTS, 7]
    looked_at = [0]
    for selection in Selection.pieces(house.live.services, Asked()):
        looked_at.append(sum(selection.of_all.values()))
    assert looked_at == [0, SLICE, 2 * SLICE, 2 * SLICE + 3]


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({"cut_off": True}, "cut off: no reference target answers"),
        ({"store_failing": "disk full"}, "the database cannot be written: disk full"),
        ({"clock_ahead_ms": 90_000}, "records are ahead of it by 1 min 30 s"),
        ({"config_ok": False}, "the configuration file was refused"),
        ({"probing": False}, "not probing"),
    ],
)
def test_what_is_wrong_with_the_agent_is_said_on_top(
    house: House, change: dict[str, object], notice: str
) -> None:
    assert 'role="alert"' not in read(house, "/")
    for name, value in change.items():
        setattr(house.live, name, value)
    assert notice in text_of(read(house, "/"))


def test_the_status_page_is_there_without_a_database(house: House) -> None:
    house.close()
    for file in house.directory.glob("ringback.db*"):
        file.unlink()
    text = text_of(read(house, "/"))
    assert "the database cannot be read" in text
    assert "1 of 3 services is down" in text


def test_a_service_shows_its_outages_with_their_four_instants(house: House) -> None:
    house.turn(TRUNK, State.UP, "2026-11-20T14:00:00", "2026-11-20T13:59:55")
    text = text_of(read(house, f"/services/{TRUNK}"))
    assert "13:49:55 13:50:00 13:59:55 14:00:00 10 min 00 s 9 min 55 s 10 min 05 s timeout" in text
    assert "2026-10-10 10:00:00 not seen 2026-10-10 12:00:00 2 h 00 min 00 s" in text


def test_a_service_shows_what_its_checks_last_saw(house: House) -> None:
    text = text_of(read(house, f"/services/{TRUNK}"))
    assert 'the "second\\way" é unknown' in text
    assert "12.3 ms 200 at 14:02:29 Last outcome resolve 1.00 ms answer 11.3 ms server kamailio" in text


def test_a_service_shows_any_month(house: House) -> None:
    page = read(house, f"/services/{TRUNK}?month=2026-10")
    assert "99.7315 % guarantee 99.90 % · breach" in text_of(page)
    assert len(re.findall(r'class="day"', page)) == 31
    assert page.count("<title>down, 2026-10-10</title>") == 1
    assert "<title>down, 2026-10-11</title>" not in page
    assert "Not in contract" in text_of(read(house, f"/services/{TRUNK}?month=2025-10"))


def test_a_month_is_a_table_of_all_services(house: House) -> None:
    text = text_of(read(house, "/months/2026-10"))
    assert "1 credit drafted: 60.00 EUR" in text
    assert (
        "acme-trunk mixvoip/enterprise 99.7315 % 99.90 % 2 h 00 min 00 s 44 min 42 s breach why 1 100.0000 % 60.00 EUR"
        in text
    )
    assert "acme-link none not known none none why 0 0.0000 % none" in text
    assert "The month goes on" in text_of(read(house, "/months/2026-11"))
    assert "No service was in contract" in text_of(read(house, "/months/2027-01"))


def test_claims_show_how_they_were_calculated(house: House) -> None:
    text = text_of(read(house, "/claims"))
    assert "acme-trunk 2026-10 · ACME S.A. 60.00 EUR draft" in text
    assert re.search(r"hours H 7.?200.?000 ms / .* 2 ", text)
    assert "amount the lesser of the two 60.00 EUR" in text


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/services/nobody", 404, "There is no service"),
        ("/nothing", 404, "Not Found"),
        ("/months/2026-13", 400, "expected a month such as 2026-10"),
        ("/?page=x", 400, "page: expected a number"),
        ("/?state=sideways", 400, "expected up, degraded, down, unknown"),
    ],
)
def test_what_cannot_be_shown_is_said_on_a_page_like_the_others(
    house: House, path: str, status: int, message: str
) -> None:
    page = read(house, path, status)
    assert message in text_of(page)
    assert "/static/ringback.css" in page


def test_states_are_told_by_words_and_shapes_too(house: House) -> None:
    page = read(house, "/")
    for state in ("down", "unknown", "up"):
        assert f'<b class="word {state}">{state}</b>' in page
        assert f'href="#mark-{state}"' in page


def test_without_script_the_status_page_reloads_itself(house: House) -> None:
    assert '<noscript><meta http-equiv="refresh"' in read(house, "/")
