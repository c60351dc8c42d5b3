"""Every mistake is found in one run, at its line, with its path and with what was expected."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors, Mistake
from tests.config.files import mistakes, write


@pytest.mark.parametrize(
    ("text", "line", "path", "expected"),
    [
        ("services:\n- id: a\n  chekcs: []\n", 3, "services[0].chekcs", "did you mean 'checks'?"),
        ("service: []\n", 1, "service", "did you mean 'services'?"),
        ("agent:\n  zzz: 1\n", 2, "agent.zzz", "expected one of database, destination_floor"),
        ("services:\n- id: a\n- id: b\n- id: a\n", 4, "services[2].id", "services[0] is called 'a', too"),
        ("services:\n- {id: a}\n-\n  name: x\n", 4, "services[1].id", "expected this key"),
        ("services:\n- id: -a\n", 2, "services[0].id", "a letter or digit"),
        ("services:\n- id: a\n  name: 'a\\0'\n  name: b\n", 4, "services[0].name", "line 3 has it, too"),
        ('services:\n- id: a\n  name: "a\\0"\n', 3, "services[0].name", "one line of text"),
        ("services:\n- id: a\n  kind: trunk\n", 3, "services[0].kind", "'sip-trunk', 'pbx' or 'link'"),
        ("services: {id: a}\n", 1, "services", "expected a list"),
        ("services:\n- a\n", 2, "services[0]", "expected a mapping"),
        ("services:\n", 1, "services", "expected a text"),
        ("defaults:\n  interval: 30\n", 2, "defaults.interval", "a duration such as 500ms"),
        ("defaults:\n  interval: 1ms\n", 2, "defaults.interval", "an interval from 20ms"),
        ("defaults:\n  fall: 0\n", 2, "defaults.fall", "greater than or equal to 1"),
        ("defaults:\n  rise: 101\n", 2, "defaults.rise", "less than or equal to 100"),
        ("defaults:\n  rise: two\n", 2, "defaults.rise", "expected a valid integer, not 'two'"),
        ("defaults:\n  interval: 5s\n  timeout: 6s\n", 3, "defaults.timeout", "at most the interval"),
        ("defaults:\n  timezone: Luxembourg\n", 2, "defaults.timezone", "a time zone such as"),
        ("defaults:\n  timezone: Europe\n", 2, "defaults.timezone", "a time zone such as"),
        ("defaults:\n  timezone: ../../etc/passwd\n", 2, "defaults.timezone", "a time zone such as"),
        ("agent:\n  listen: 9877\n", 2, "agent.listen", "HOST:PORT"),
        ("agent:\n  listen: 127.0.0.1:65536\n", 2, "agent.listen", "HOST:PORT"),
        ("agent:\n  reference_targets: x\n", 2, "agent.reference_targets", "expected a list"),
        ("agent:\n  reference_targets: [x]\n", 2, "agent.reference_targets[0]", "a target that starts with"),
        ("plans: [no.yml]\n", 1, "plans[0]", "neither"),
        ("plans: [example.yml, ./example.yml]\n", 1, "plans[1]", "each catalogue once"),
        ("plans:\n- [example.yml]\n", 2, "plans[0]", "the path of a catalogue"),
        ("- a\n", 1, "", "expected a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_path_and_what_was_expected(
    tmp_path: Path, text: str, line: int, path: str, expected: str
) -> None:
    [(found_line, found_path, message)] = mistakes(tmp_path, text)
    assert (found_line, found_path) == (line, path)
    assert expected in message


CONTRACT = """\
plans: [example.yml]
services:
- id: a
  plan: example/gold
"""


@pytest.mark.parametrize(
    ("text", "line", "path", "expected"),
    [
        ("  monthly_fee: 100\n", 5, "monthly_fee", "100.00 EUR"),
        ("  monthly_fee: 100.00 euro\n", 5, "monthly_fee", "100.00 EUR"),
        ("  monthly_fee: -1.00 EUR\n", 5, "monthly_fee", "100.00 EUR"),
        ("  contract_from: 2026-02-30\n", 5, "contract_from", "a date such as"),
        ("  contract_from: 2026-02-01\n  contract_to: 2026-02-01\n", 6, "contract_to", "after contract_from"),
        ("  up_when: 1\n", 5, "up_when", "at most the number of checks (0)"),
        ("  up_when: most\n", 5, "up_when", "all, any or a number"),
        ("  up_when: 0\n", 5, "up_when", "all, any or a number"),
        ("  overrides: {name: Mine}\n", 5, "overrides.name", "unknown key 'name'"),
        ("  overrides:\n    guarantee: 100.1 %\n", 6, "overrides.guarantee", "at most 100 %"),
        ("  overrides:\n    guarantee: 0.999\n", 6, "overrides.guarantee", "99.90 %"),
        ("  overrides:\n    credit:\n      kap: 5 %\n", 7, "overrides.credit.kap", "did you mean 'cap'?"),
        ("  changes:\n  - from: 2026-07-15\n", 6, "changes[0].from", "the first day of a month"),
        ("  changes:\n  - plan: example/plain\n", 6, "changes[0].from", "expected this key"),
        ("  changes:\n  - from: 2026-07-01\n    fee: 1\n", 7, "changes[0].fee", "unknown key"),
        ("  changes:\n  - {from: 2026-07-01, plan: example/x}\n", 6, "changes[0].plan", "example/plain"),
        (
            "  changes:\n  - from: 2026-07-01\n  - from: 2026-07-01\n",
            7,
            "changes[1].from",
            "after 2026-07-01",
        ),
        ("  changes: none\n", 5, "changes", "expected a list"),
    ],
)
def test_a_mistake_in_the_terms_is_told_likewise(
    tmp_path: Path, text: str, line: int, path: str, expected: str
) -> None:
    found = mistakes(tmp_path, CONTRACT + text)
    assert (line, f"services[0].{path}") == found[0][:2]
    assert expected in found[0][2]


CHECK = """\
services:
- id: a
  checks:
"""


@pytest.mark.parametrize(
    ("text", "line", "path", "expected"),
    [
        ("  - gopher://192.0.2.1\n", 4, "checks[0]", "a target that starts with"),
        ("  - tcp://192.0.2.1\n", 4, "checks[0]", "tcp://"),
        ("  - {target: tcp://}\n", 4, "checks[0].target", "tcp://"),
        ("  - [tcp://192.0.2.1:1]\n", 4, "checks[0]", "expected a target"),
        ("  - name: x\n", 4, "checks[0].target", "expected this key"),
        ("  - {target: [a]}\n", 4, "checks[0].target", "expected text"),
        ("  - target: tcp://192.0.2.1:1\n    interval: 5x\n", 5, "checks[0].interval", "a duration"),
        ("  - target: tcp://192.0.2.1:1\n    timeout: 31s\n", 5, "checks[0].timeout", "(30000ms)"),
        (
            "  - target: tcp://192.0.2.1:1\n    retry_interval: 31s\n",
            5,
            "checks[0].retry_interval",
            "(30000ms)",
        ),
        ("  - target: tcp://192.0.2.1:1\n    fal: 2\n", 5, "checks[0].fal", "did you mean 'fall'?"),
        ("  - target: tcp://192.0.2.1:1\n    famly: x\n", 5, "checks[0].famly", "did you mean 'family'?"),
        ("  - target: tcp://192.0.2.1:1\n    family: x\n", 5, "checks[0].family", "expected"),
        ("  - tcp://192.0.2.1:1\n  - tcp://192.0.2.1:1\n", 5, "checks[1]", "a name of its own"),
    ],
)
def test_a_mistake_in_a_check_is_told_likewise(
    tmp_path: Path, text: str, line: int, path: str, expected: str
) -> None:
    [(found_line, found_path, message)] = mistakes(tmp_path, CHECK + text)
    assert (found_line, found_path) == (line, f"services[0].{path}")
    assert expected in message


def test_all_mistakes_of_all_files_are_told_in_one_run(tmp_path: Path) -> None:
    tabs = write(tmp_path, "provider: tabs\nname: Tabs\nplans:\n  a:\n\tname: A\n", "tabs.yml")
    latin = write(tmp_path, "provider: latin\nname: Société\nplans: {}\n".encode("latin-1"), "latin.yml")
    hours = write(
        tmp_path,
        """\
        provider: hours
        name: Hours
        plans:
          night:
            name: Night
            support_hours: {mon-fri: 22:00}
            ttr: 8
        """,
        "hours.yml",
    )
    main = write(
        tmp_path,
        """\
        plans: [tabs.yml, latin.yml, hours.yml, missing.yml]
        colour: blue
        services:
          - id: a
            plan: hours/day
            contract_from: 22:00
          - id: a
            plan: hours/night
            changes:
              - from: 2026-07-15
            checks:
              - {target: "tcp://192.0.2.1:80", interval: soon, port: 80}
        """,
    )
    with pytest.raises(ConfigurationErrors) as caught:
        load(main)
    found = [(mistake.file, mistake.line, mistake.path) for mistake in caught.value.mistakes]
    assert found == [
        (str(main), 1, "plans[3]"),
        (str(main), 2, "colour"),
        (str(main), 5, "services[0].plan"),
        (str(main), 6, "services[0].contract_from"),
        (str(main), 7, "services[1].id"),
        (str(main), 10, "services[1].changes[0].from"),
        (str(main), 12, "services[1].checks[0].interval"),
        (str(main), 12, "services[1].checks[0].port"),
        (str(tabs), 5, "plans.a"),
        (str(latin), 2, ""),
        (str(hours), 6, "plans.night.support_hours.mon-fri"),
        (str(hours), 7, "plans.night.ttr"),
    ]


def test_overrides_without_a_plan_are_a_mistake(tmp_path: Path) -> None:
    [(line, path, message)] = mistakes(tmp_path, "services:\n- id: a\n  overrides: {guarantee: 99 %}\n")
    assert (line, path) == (3, "services[0].overrides")
    assert "expected a plan beside it" in message


def test_bytes_that_are_not_utf_8_hide_no_other_mistake(tmp_path: Path) -> None:
    text = b"services:\n- id: a\n  kind: x\n  name: \xe9\n\tcustomer: b\n"
    assert [(line, path) for line, path, _ in mistakes(tmp_path, text)] == [
        (3, "services[0].kind"),
        (4, ""),
        (5, "services[0].name"),
    ]


def test_what_stands_before_a_syntax_error_is_looked_into(tmp_path: Path) -> None:
    text = """\
    plans: [nowhere.yml]
    services:
      - id: a
        kind: x
      - up_when: 2
        overrides: {guarantee: 99 %}
        checks:
          - {target: "tcp://192.0.2.1:80", interval: 5}
          - tcp://192.0.2.1:80
    \t  - tcp://192.0.2.1:80
    """
    found = mistakes(tmp_path, textwrap.dedent(text.replace("    \t", "\t")))
    assert [mistake[:2] for mistake in found] == [
        (1, "plans[0]"),
        (4, "services[0].kind"),
        (8, "services[1].checks[0].interval"),
        (10, "services[1].checks[1]"),
    ]


def test_a_plan_whose_catalogue_could_be_read_in_part_only_is_not_called_missing(tmp_path: Path) -> None:
    write(tmp_path, "provider: half\nname: Half\nplans:\n  a: {name: A}\n  b: @\n", "half.yml")
    main = write(
        tmp_path, "plans: [half.yml]\nservices:\n- {id: a, plan: half/c}\n- {id: b, plan: other/c}\n"
    )
    with pytest.raises(ConfigurationErrors) as caught:
        load(main)
    assert [mistake.path for mistake in caught.value.mistakes] == ["services[1].plan", "plans.b"]


def test_a_plan_with_mistakes_is_not_called_missing(tmp_path: Path) -> None:
    write(tmp_path, "provider: bad\nname: Bad\nplans:\n  a: {name: A, mrt: 3}\n", "bad.yml")
    main = write(tmp_path, "plans: [bad.yml]\nservices:\n- {id: a, plan: bad/a}\n")
    with pytest.raises(ConfigurationErrors) as caught:
        load(main)
    assert [mistake.path for mistake in caught.value.mistakes] == ["plans.a.mrt"]


def test_a_plan_of_two_catalogues_is_a_mistake_of_the_second(tmp_path: Path) -> None:
    catalogue = "provider: one\nname: One\nplans:\n  a: {name: A}\n"
    write(tmp_path, catalogue, "first.yml")
    second = write(tmp_path, catalogue, "second.yml")
    main = write(tmp_path, "plans: [first.yml, second.yml]\n")
    with pytest.raises(ConfigurationErrors) as caught:
        load(main)
    [mistake] = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.path) == (str(second), 4, "plans.a")


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigurationErrors, match=reason) as caught:
            load(path)
        [mistake] = caught.value.mistakes
        assert (mistake.file, mistake.line, mistake.path) == (str(path), None, "")


@pytest.mark.parametrize("text", ["", "\n", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_is_a_mistake(tmp_path: Path, text: str) -> None:
    [(_, path, message)] = mistakes(tmp_path, text)
    assert (path, message.startswith("expected")) == ("", True)


def test_a_mistake_is_printed_on_one_line_as_compilers_do() -> None:
    mistake = Mistake("ringback.yml", 7, 3, "services[0].id", "expected this key: it has no default")
    assert str(mistake) == "ringback.yml:7: services[0].id: expected this key: it has no default"
    whole = Mistake("ringback.yml", None, None, "", "expected a file that can be read")
    assert str(ConfigurationErrors([whole, mistake])).splitlines() == [
        "ringback.yml: expected a file that can be read",
        str(mistake),
    ]
