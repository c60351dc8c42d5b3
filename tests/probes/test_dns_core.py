"""What a DNS probe asks, what it reads, and what it can be told; mostly without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.dns_server import DnsOptions, DnsProber, DnsTarget
from probes.dns_server.answer import Answer, Unreadable, parse_answer
from probes.dns_server.frames import Frames, framed
from probes.dns_server.question import is_answer, is_truncated, new_question
from probes.dns_server.target import first_nameserver
from probes.prober import prober_for
from tests.probes import dns_peers
from tests.probes.dns_peers import answer, datagram_server

NAME = dns.name.from_text("Lab.test")


def asked(**options: object) -> dns.message.Message:
    """What a server reads of the question that these options make."""
    return dns.message.from_wire(new_question(NAME, DnsOptions.model_validate(options)).wire)


class TestQuestion:
    def test_a_plain_one_has_the_name_as_it_was_written_and_asks_for_recursion(self) -> None:
        question = asked()
        (section,) = question.question
        assert section.name.to_text() == "Lab.test."
        assert (section.rdtype, section.rdclass) == (dns.rdatatype.A, dns.rdataclass.IN)
        assert question.flags == dns.flags.RD
        assert question.edns == -1

    def test_names_that_differ_in_case_alone_are_each_asked_for_as_they_are_written(self) -> None:
        written = [dns.name.from_text(text) for text in ("lab.test", "LAB.TEST", "lab.test")]
        assert [b"LAB" in new_question(name, DnsOptions()).wire for name in written] == [False, True, False]

    def test_type_class_and_recursion_are_as_they_were_told(self) -> None:
        question = asked(record="txt", query_class="CH", recursion=False)
        (section,) = question.question
        assert (section.rdtype, section.rdclass) == (dns.rdatatype.TXT, dns.rdataclass.CH)
        assert question.flags == 0

    def test_for_dnssec_it_wants_signatures_and_the_bit_that_says_validated(self) -> None:
        question = asked(dnssec=True)
        assert question.flags == dns.flags.RD | dns.flags.AD
        assert question.ednsflags & dns.flags.DO
        assert question.payload == 1232

    def test_it_leaves_from_the_source_address(self) -> None:
        sources: list[str] = []

        def noted(question: bytes, source: tuple[str, int]) -> list[bytes]:
            sources.append(source[0])
            return [answer(question, "A 127.0.0.1")]

        with datagram_server(noted) as port:
            dns_peers.probe(f"dns://127.0.0.1:{port}/lab.test", source_address="127.0.0.3")
        assert sources == ["127.0.0.3"]

    @pytest.mark.parametrize("rcode", [1, 2, 4, 5])
    def test_a_server_that_did_not_understand_it_may_leave_it_out_of_its_answer(self, rcode: int) -> None:
        question = new_question(NAME, DnsOptions())
        assert is_answer(question, question.id + bytes([0x80, rcode]) + bytes(8))
        assert not is_answer(question, question.id + b"\x80\x03" + bytes(8)), "NXDOMAIN of what?"

    def test_the_case_of_the_name_does_not_matter_in_the_answer(self) -> None:
        question = new_question(NAME, DnsOptions())
        assert is_answer(question, answer(question.wire, "A 127.0.0.1").replace(b"Lab", b"lAB"))


class TestAnswer:
    def test_its_records_are_told_as_a_zone_file_has_them(self) -> None:
        read = parse_answer(
            answer(new_question(NAME, DnsOptions()).wire, "MX 10 mail.example.", 'TXT "a b" "c"')
        )
        assert read.rcode == "NOERROR"
        assert [record.line for record in read.answer] == [
            "Lab.test.\t300\tIN\tMX\t10 mail.example.",
            'Lab.test.\t300\tIN\tTXT\t"a b" "c"',
        ]
        assert read.counts == (2, 0, 0)

    def test_opt_is_counted_and_is_no_record(self) -> None:
        said = dns.message.make_response(
            dns.message.from_wire(new_question(NAME, DnsOptions(dnssec=True)).wire)
        )
        read = parse_answer(said.to_wire())
        assert (read.counts, read.additional) == ((0, 0, 1), ())

    def test_the_upper_bits_of_the_code_are_in_opt(self) -> None:
        said = dns.message.make_response(
            dns.message.from_wire(new_question(NAME, DnsOptions(dnssec=True)).wire)
        )
        said.set_rcode(dns.rcode.BADVERS)
        assert parse_answer(said.to_wire()).rcode == "BADVERS"

    def test_a_record_that_nobody_knows_is_shown_as_rfc_3597_has_it(self) -> None:
        said = dns.message.make_response(dns.message.from_wire(new_question(NAME, DnsOptions()).wire))
        said.answer.append(dns.rrset.from_text(NAME, 1, "IN", "TYPE65280", r"\# 2 ff00"))
        assert parse_answer(said.to_wire()).answer[0].line.endswith("\tIN\tTYPE65280\t\\# 2 ff00")

    @given(st.binary(max_size=600))
    def test_any_bytes_are_an_answer_or_unreadable(self, data: bytes) -> None:
        reads_or_refuses(data)

    @given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 3), st.integers(0, 0xFFFF))
    def test_any_records_after_a_good_header_are_too(
        self, data: bytes, many: int, more: int, flags: int
    ) -> None:
        question = new_question(NAME, DnsOptions())
        head = question.id + flags.to_bytes(2) + b"\0\1" + b"".join(n.to_bytes(2) for n in (many, more, more))
        reads_or_refuses(head + question.section + data)

    @given(st.integers(0, 300), st.integers(0, 2), st.binary(max_size=120), st.booleans())
    def test_any_data_of_any_type_of_record_is_too(self, kind: int, of: int, data: bytes, last: bool) -> None:
        question = new_question(NAME, DnsOptions())
        head = question.id + b"\x81\x80\0\1" + (b"\0\0\0\0\0\1" if last else b"\0\1\0\0\0\0")
        record = b"\xc0\x0c" + kind.to_bytes(2) + of.to_bytes(2) + bytes(4) + len(data).to_bytes(2) + data
        reads_or_refuses(head + question.section + record)

    @given(st.binary(max_size=200))
    def test_whether_any_bytes_answer_a_question_can_be_said(self, data: bytes) -> None:
        question = new_question(NAME, DnsOptions())
        for said in (data, question.id + data):
            if is_answer(question, said):
                is_truncated(said)


def reads_or_refuses(data: bytes) -> None:
    try:
        read = parse_answer(data)
    except Unreadable:
        return
    assert isinstance(read, Answer)
    for record in (*read.answer, *read.authority, *read.additional):
        assert record.line.count("\t") >= 4


class TestFrames:
    @given(st.lists(st.binary(max_size=700), max_size=5), st.integers(1, 50))
    def test_messages_come_whole_however_the_stream_is_cut(self, messages: list[bytes], size: int) -> None:
        stream, frames, found = b"".join(map(framed, messages)), Frames(), []
        for start in range(0, len(stream), size):
            frames.take(stream[start : start + size])
            while (message := frames.next()) is not None:
                found.append(message)
        assert found == messages


class TestTarget:
    @pytest.mark.parametrize(
        ("text", "server", "port", "name"),
        [
            ("dns://ns1.example.net/example.net", "ns1.example.net", None, "example.net."),
            ("DNS://127.0.0.1:5353/a.example.", "127.0.0.1", 5353, "a.example."),
            ("dns://[::1]:53/_sip._udp.example.net", "::1", 53, "_sip._udp.example.net."),
            ("dns://[::1]/.", "::1", None, "."),
            ("dns:example.net", None, None, "example.net."),
            ("dns://ns/0%2F25.0.0.127.in-addr.arpa", "ns", None, "0/25.0.0.127.in-addr.arpa."),
            ("dns://ns/b%C3%BCcher.example", "ns", None, "xn--bcher-kva.example."),
        ],
    )
    def test_it_is_a_server_and_a_name(
        self, text: str, server: str | None, port: int | None, name: str
    ) -> None:
        assert prober_for(text) is DnsProber
        assert DnsProber.parse(text) == DnsTarget(server, port, dns.name.from_text(name))

    @pytest.mark.parametrize(
        "text",
        [
            "dns:",
            "dns://",
            "dns://ns",
            "dns://ns/",
            "dns:///a",
            "dns://ns:0/a",
            "dns://ns:70000/a",
            "dns://ns/a?type=MX",
            "dns://ns/a#b",
            "dns://u:p@ns/a",
            "dns:a b",
            "dns:a\nb",
            "dns://ns/a..b",
            "dns://ns/%ff",
            f"dns://ns/{'a' * 64}",
            f"dns://ns/{'a.' * 128}",
        ],
    )
    def test_anything_else_is_refused_with_what_was_expected(self, text: str) -> None:
        with pytest.raises(ValueError, match="expected"):
            DnsProber.parse(text)

    def test_without_a_server_it_is_the_first_that_this_host_asks(self, tmp_path: Path) -> None:
        file = tmp_path / "resolv.conf"
        file.write_text("# a comment\nsearch example.net\nnameserver\nnameserver ::1\nnameserver 127.0.0.2\n")
        assert first_nameserver(file) == "::1"
        file.write_text("search example.net\n")
        with pytest.raises(OSError, match="no nameserver"):
            first_nameserver(file)


class TestOptions:
    def test_they_can_be_written_as_people_do(self) -> None:
        told = DnsOptions.model_validate({"record": "mx", "rcodes": ["nxdomain", "NoError"]})
        assert (told.record, told.rcodes) == ("MX", ("NXDOMAIN", "NOERROR"))
        assert DnsOptions(record="TYPE65").record == "HTTPS"

    @pytest.mark.parametrize(
        "mistake",
        [
            {"record": "B"},
            {"record": "AXFR"},
            {"record": "OPT"},
            {"query_class": "NONE"},
            {"transport": "quic"},
            {"rcodes": []},
            {"rcodes": ["NOPE"]},
            {"expect": ["localhost"]},
            {"record": "MX", "expect": ["mail.example.net"]},
            {"record": "ANY", "expect": ["127.0.0.1"]},
            {"answer": {"fail_if_matches_regexp": ["("]}},
            {"answer": {"fail_if_matches": ["a"]}},
            {"latency_degraded": "0s"},
            {"dscp": 64},
        ],
    )
    def test_a_mistake_is_refused(self, mistake: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            DnsOptions.model_validate(mistake)

    def test_equal_ones_can_be_shared(self) -> None:
        told = {"expect": ["127.0.0.1"], "answer": {"fail_if_matches_regexp": ["x"]}}
        assert hash(DnsOptions.model_validate(told)) == hash(DnsOptions.model_validate(told))
