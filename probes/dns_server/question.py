"""What is sent, and what answers it (RFC 1035 §4.1, §7.3). No socket, no clock."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import lru_cache

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode

from probes.dns_server.options import DnsOptions

HEADER = struct.Struct("!HHHHHH")
"""Identifier, flags, and how many questions, answers, authorities and additional records follow."""

_UDP_PAYLOAD = 1_232
"""Bytes of UDP that no path fragments (RFC 9715 §3.2, DNS flag day 2020)."""

_TYPE_AND_CLASS = 4
_WITHOUT_QUESTION = {dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED}
"""With these codes some servers leave the question out, which they may not have understood."""


@dataclass(frozen=True, slots=True)
class Question:
    """A message to send. ``id`` is its first two bytes, which the answer repeats."""

    id: bytes
    body: bytes
    """What follows: flags, counts, the question, and perhaps an OPT record."""

    section: bytes
    """The question section alone: name, type and class."""

    @property
    def wire(self) -> bytes:
        return self.id + self.body


def new_question(name: dns.name.Name, options: DnsOptions) -> Question:
    """A question with an identifier of its own that nobody can foretell (RFC 5452 §9.2)."""
    body, section = _body(name.labels, options.record, options.query_class, options.recursion, options.dnssec)
    return Question(os.urandom(2), body, section)


@lru_cache(
    maxsize=4_096
)  # by the labels: names that differ in case alone are equal, and are asked for as written
def _body(
    labels: tuple[bytes, ...], record: str, query_class: str, recursion: bool, dnssec: bool
) -> tuple[bytes, bytes]:
    name = dns.name.Name(labels)
    flags = (dns.flags.RD if recursion else 0) | (dns.flags.AD if dnssec else 0)
    edns = {"use_edns": 0, "payload": _UDP_PAYLOAD, "want_dnssec": True} if dnssec else {"use_edns": False}
    wire = dns.message.make_query(name, record, query_class, flags=flags, **edns).to_wire()
    end = HEADER.size + len(name.to_wire() or b"") + _TYPE_AND_CLASS
    return wire[2:], wire[HEADER.size : end]


def is_answer(question: Question, data: bytes) -> bool:
    """Whether a message is a response to our question: same identifier, name, type and class. Costs next to
    nothing, whatever is sent."""
    if len(data) < HEADER.size or data[:2] != question.id:
        return False
    _, flags, count, *_ = HEADER.unpack_from(data)
    if not flags & dns.flags.QR or dns.opcode.from_flags(flags) != dns.opcode.QUERY:
        return False
    if count == 0:
        return flags & 0xF in _WITHOUT_QUESTION
    repeated = data[HEADER.size : HEADER.size + len(question.section)]
    return count == 1 and _uncased(repeated) == _uncased(question.section)


def _uncased(section: bytes) -> tuple[bytes, bytes]:
    """Lengths of labels are below any letter, so that all of the name can be lowered (RFC 4343 §3)."""
    return section[:-_TYPE_AND_CLASS].lower(), section[-_TYPE_AND_CLASS:]


def is_truncated(answer: bytes) -> bool:
    """Whether a message that ``is_answer`` is cut off, for want of room (TC)."""
    return bool(HEADER.unpack_from(answer)[1] & dns.flags.TC)
