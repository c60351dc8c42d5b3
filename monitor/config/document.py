"""A YAML file to its tree, with every flaw that the text itself has.

Values stay text as written, and the models give them their types: YAML 1.1 itself would read ``22:00`` as
1320 and ``no`` as false, and would take a duplicate key silently.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from monitor.config.tree import Place, Series, Step, Table, Tree

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 32
_TOO_DEEP = f"expected at most {MAX_DEPTH} levels"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
"""What YAML 1.1 reads as a number of base 60, and a little more: readers differ over ``07:30``."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A mistake of the text itself, whatever it is meant to say. Without a place it is the whole file's."""

    place: Place | None
    path: tuple[Step, ...]
    message: str


@dataclass(slots=True)
class Document:
    """A file's tree, None where nothing could be read, and the flaws found on the way.

    Not ``complete``: reading stopped at a flaw, so that containers that were open then may lack entries.
    """

    root: Tree | None = None
    flaws: list[Flaw] = field(default_factory=list)
    complete: bool = True


def read_document(path: Path) -> Document:
    """The document in a file. Never raises: what is wrong with the file is a flaw of the document."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return _unread(f"expected a file that can be read: {reason}")
    if len(data) > MAX_BYTES:
        return _unread(f"expected a file of at most {MAX_BYTES} bytes")
    return parse_document(data)


def parse_document(data: bytes) -> Document:
    """The document in a file's bytes. Never raises."""
    flaws: list[Flaw] = []
    text = _printable(_decoded(data, flaws), flaws)
    document = _Builder(text, flaws).build()
    if document.root is None and not flaws:
        return _unread("expected a YAML mapping, not an empty file")
    return document


def _unread(message: str) -> Document:
    return Document(None, [Flaw(None, (), message)], complete=False)


def _decoded(data: bytes, flaws: list[Flaw]) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        found = f"not the byte 0x{data[error.start]:02x} ({error.reason})"
        flaws.append(Flaw(_end_of(data[: error.start].decode()), (), f"expected text in UTF-8, {found}"))
        text = data.decode(errors="replace")
    return text.removeprefix("\ufeff")


def _printable(text: str, flaws: list[Flaw]) -> str:
    control = _CONTROL.search(text)
    if control is None:
        return text
    message = f"expected text, not the control character {control[0]!r}"
    flaws.append(Flaw(_end_of(text[: control.start()]), (), message))
    return _CONTROL.sub("\ufffd", text)


def _end_of(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - text.rfind("\n"))


@dataclass(slots=True)
class _Open:
    """A container whose end has not come yet, and the step to its current entry: None before a key."""

    tree: Table | Series
    step: Step | None
    key_place: Place


class _Builder:
    """Takes the parser's events one by one. Beside the tree it keeps only the containers that are open."""

    def __init__(self, text: str, flaws: list[Flaw]) -> None:
        self.text = text
        self.document = Document(flaws=flaws)
        self.open: list[_Open] = []

    def build(self) -> Document:
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                if not self._take(event):
                    self.document.complete = False
                    break
        except yaml.YAMLError as error:
            self._syntax(error)
        return self.document

    def _take(self, event: Event) -> bool:
        """Adds the event to the tree. False where reading has to stop."""
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            return self._start(event, Table())
        elif isinstance(event, SequenceStartEvent):
            return self._start(event, Series())
        elif isinstance(event, CollectionEndEvent):
            self.open.pop()
            self._next()
        elif isinstance(event, AliasEvent):
            self._flaw(event, f"expected the value itself: the alias *{event.anchor} is not followed")
            self._key_or_value(f"*{event.anchor}", _place(event))
        elif isinstance(event, DocumentStartEvent) and self.document.root is not None:
            self._flaw(event, "expected one document in the file, not a second one after ---")
            return False
        return True

    def _scalar(self, event: ScalarEvent) -> None:
        self._refuse_marks(event, event.tag)
        text: str = event.value
        if not event.style:
            if text in _NULL:
                self._flaw(event, "expected a text; a key that has no value is left out")
            elif ":" in text and _BASE_60.fullmatch(text):
                self._flaw(event, f'expected quotes: "{text}"; without them YAML reads a number of base 60')
        self._key_or_value(text, _place(event))

    def _start(self, event: MappingStartEvent | SequenceStartEvent, tree: Table | Series) -> bool:
        self._refuse_marks(event, event.tag)
        if self._awaits_key():
            self._flaw(event, "expected a key that is plain text")
            return False
        if len(self.open) == MAX_DEPTH:
            self._flaw(event, _TOO_DEEP)
            return False
        place = _place(event)
        self._attach(tree, place)
        self.open.append(_Open(tree, None if isinstance(tree, Table) else 0, key_place=place))
        return True

    def _key_or_value(self, text: str, place: Place) -> None:
        if not self._awaits_key():
            self._attach(text, place)
            self._next()
            return
        inside = self.open[-1]
        inside.step, inside.key_place = sys.intern(text), place
        if isinstance(inside.tree, Table) and text in inside.tree:
            first = inside.tree.places(text)[0].line
            flaw = Flaw(place, self._path(), f"expected each key once; line {first} has it, too")
            self.document.flaws.append(flaw)

    def _awaits_key(self) -> bool:
        return bool(self.open) and self.open[-1].step is None

    def _attach(self, value: Tree, place: Place) -> None:
        """Puts the value where the current step leads. The second value of a key is read, but not kept."""
        if not self.open:
            self.document.root = value
            return
        inside = self.open[-1]
        if isinstance(inside.tree, Series):
            inside.tree.add(value, place)
        elif inside.step not in inside.tree:
            inside.tree.add(str(inside.step), inside.key_place, value, place)

    def _next(self) -> None:
        if self.open:
            inside = self.open[-1]
            inside.step = len(inside.tree) if isinstance(inside.tree, Series) else None

    def _refuse_marks(self, event: NodeEvent, tag: str | None) -> None:
        if event.anchor is not None:
            self._flaw(event, f"expected no anchor: &{event.anchor} is not read")
        if tag is not None:
            self._flaw(event, f"expected no tag: {tag} is not read")

    def _flaw(self, event: Event, message: str) -> None:
        self.document.flaws.append(Flaw(_place(event), self._path(), message))

    def _path(self) -> tuple[Step, ...]:
        return tuple(inside.step for inside in self.open if inside.step is not None)

    def _syntax(self, error: yaml.YAMLError) -> None:
        self.document.complete = False
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        place = None if mark is None else Place(mark.line + 1, mark.column + 1)
        self.document.flaws.append(Flaw(place, self._path(), _syntax_message(error, self.text)))


def _syntax_message(error: yaml.YAMLError, text: str) -> str:
    if "nesting depth" in str(error):  # libyaml's own limit, which it may reach first: it reads ahead
        return _TOO_DEEP
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"expected YAML: {error}"
    mark, begun = error.problem_mark, error.context_mark
    line = "".join(text.splitlines()[mark.line : mark.line + 1])
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation + line[mark.column : mark.column + 1]:
        return "expected spaces in the indentation, not a tab"
    since = "" if begun is None or begun.line == mark.line else f" ({error.context} on line {begun.line + 1})"
    return f"expected YAML: {error.problem}{since}"


def _place(event: Event) -> Place:
    mark = event.start_mark
    assert mark is not None  # only events that a program makes by hand have none
    return Place(mark.line + 1, mark.column + 1)
