"""A YAML text becomes a tree of texts as written; what other readers would take otherwise is refused."""

from __future__ import annotations

import pytest

from monitor.config.document import MAX_DEPTH, parse_document
from monitor.config.tree import Place, Step, Tree, locate, written


def flaws(text: str | bytes) -> list[tuple[tuple[int, int] | None, str, str]]:
    document = parse_document(text if isinstance(text, bytes) else text.encode())
    return [(flaw.place, written(flaw.path), flaw.message) for flaw in document.flaws]


def place(root: Tree, steps: tuple[Step, ...]) -> Place:
    return locate(root, steps)[1]


def test_values_stay_the_text_that_was_written() -> None:
    document = parse_document(b"a: no\nb: 010\nc: 1_000\nd: 2026-01-01\ne: 1e3\nf: '~'\ng: \"22:00\"\n")
    assert document.root == {
        "a": "no", "b": "010", "c": "1_000", "d": "2026-01-01", "e": "1e3", "f": "~", "g": "22:00",
    }  # fmt: skip
    assert document.flaws == []


def test_every_key_and_value_has_its_place() -> None:
    root = parse_document("é: x\nservices:\n  - id: a\n    tags: [b, ç, d]\n  - id: b\n".encode()).root
    assert root is not None
    assert place(root, ("é",)) == Place(1, 4)
    assert place(root, ("services",)) == Place(2, 1)
    assert place(root, ("services", 0)) == Place(3, 5)
    assert place(root, ("services", 0, "tags")) == Place(4, 5)
    assert place(root, ("services", 0, "tags", 2)) == Place(4, 18)
    assert place(root, ("services", 1, "id")) == Place(5, 9)
    assert place(root, ("services", 1, "name")) == Place(5, 5)


@pytest.mark.parametrize("time", ["22:00", "8:30", "07:30", "1:30:00", "-1:30", "1:30.5"])
def test_a_time_without_quotes_is_refused(time: str) -> None:
    [(place, path, message)] = flaws(f"a:\n  - b: {time}\n")
    assert (place, path) == ((2, 8), "a[0].b")
    assert f'expected quotes: "{time}"' in message
    assert len(flaws(f"{time}: a\n")) == 1


@pytest.mark.parametrize(
    "text", ["192.0.2.1:80", "sip:a.example.net:5060", "07:30-18:00", "2001:db8::1", "22:60"]
)
def test_other_colons_need_no_quotes(text: str) -> None:
    assert flaws(f"a: {text}\n") == []


def test_a_key_that_stands_twice_is_refused_and_the_first_one_holds() -> None:
    document = parse_document(b"a: 1\nb: {c: 1, c: {d: 22:00}}\na: 3\n")
    assert document.root == {"a": "1", "b": {"c": "1"}}
    assert [(flaw.place, written(flaw.path)) for flaw in document.flaws] == [
        ((2, 11), "b.c"),
        ((2, 18), "b.c.d"),
        ((3, 1), "a"),
    ]


@pytest.mark.parametrize("text", ["a:\n", "a: ~\n", "a: null\n", "a: [~]\n"])
def test_a_key_without_a_value_is_refused(text: str) -> None:
    [(place, _, message)] = flaws(text)
    assert place is not None
    assert message.startswith("expected a text")


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("a: 1\n\tb: 2\n", (2, 1), "not a tab"),
        ("a:\n\tb: 2\n", (2, 1), "not a tab"),
        ("a:\n  - x\n\t- y\n", (3, 1), "not a tab"),
        ("a: b: c\n", (1, 5), "mapping values are not allowed"),
        ("a:\n  'x\n", (3, 1), "quoted scalar on line 2"),
        ("a: [1\n", (2, 1), "flow sequence"),
        ("a: @x\n", (1, 4), "cannot start any token"),
        ("a: &x 1\n", (1, 4), "no anchor"),
        ("a: *x\n", (1, 4), "the alias *x"),
        ("a: !!str 1\n", (1, 4), "no tag"),
        ("? [a]\n: 1\n", (1, 3), "a key that is plain text"),
        ("a: 1\n---\nb: 1\n", (2, 1), "one document"),
        ("a: \x07\n", (1, 4), "control character"),
        (b"a: 1\nb: \xe9\n", (2, 4), "UTF-8, not the byte 0xe9"),
        ("a: 1\n".encode("utf-16"), (1, 1), "UTF-8, not the byte 0xff"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_at_its_place(
    text: str | bytes, place: tuple[int, int], expected: str
) -> None:
    [(found, _, message), *_] = flaws(text)
    assert found == place
    assert expected in message


def test_a_merge_of_an_alias_is_refused_once() -> None:
    assert [flaw[1] for flaw in flaws("a: &a {b: 1}\nc:\n  <<: *a\n")] == ["a", "c.<<"]


def test_a_byte_order_mark_is_not_part_of_the_first_key() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1\n").root == {"a": "1"}


def test_levels_are_bounded() -> None:
    assert flaws("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    [(_, _, message)] = flaws("[" * 100_000)
    assert message == f"expected at most {MAX_DEPTH} levels"


def test_aliases_cannot_expand_at_all() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    document = parse_document("\n".join(lines).encode())
    assert isinstance(document.root, dict)
    assert document.root["a29"] == ["*a28"] * 10
