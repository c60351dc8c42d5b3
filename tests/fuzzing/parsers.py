"""The parsers that read what a peer sends, each with its own error and with messages to begin from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.edns
import dns.message
import dns.rrset

from probes.call import ports, reports, rtcp, rtp, sdp
from probes.dns_server import answer as dns_answer
from probes.sip import digest, message, validity
from probes.sip.transaction import Transaction
from probes.stamp import packet as stamp
from probes.stamp import padding, timestamp

_RFC_4475 = Path(__file__).parents[1] / "probes" / "rfc4475"


@dataclass(frozen=True, slots=True)
class Parser:
    """``read`` takes what a peer sent; whatever it is, nothing but ``errors`` comes out."""

    name: str
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Sequence[bytes]
    repeated: Sequence[bytes]
    """Pieces that make it slow when there are many of them, if anything does."""

    largest: int
    """Bytes that it takes; of more it reads none."""


def _sip(data: bytes) -> None:
    """Everything that a prober or a user agent server looks at in a message."""
    read = message.parse_message(data)
    if isinstance(read, message.Request):
        try:
            validity.check_request(read)
        except validity.Refused:
            pass
        return
    message.retry_after_s(read)
    for name in ("via", "contact", "warning", "allow", "www-authenticate"):
        read.all(name)
    Transaction("z9hG4bK1324923", "INVITE", reliable=False).accept(read)


def _stream(data: bytes) -> None:
    framer = message.Framer()
    for start in range(0, len(data), 97):
        for framed in framer.feed(data[start : start + 97]):
            message.parse_message(framed)


def _digest(data: bytes) -> None:
    for challenge in digest.parse_challenges([data.decode("utf-8", "replace")]):
        if challenge.supported:
            digest.answer(challenge, user="u", password="p", method="OPTIONS", uri="sip:x")


_BLOCK = rtcp.Block(7, 12, -3, 4000, 20, 1, 2)


def _rtcp(data: bytes) -> None:
    """What an end of a stream does with the other's reports."""
    end = reports.Reports(ssrc=_BLOCK.ssrc)
    end.take(data, 10**10, 0)
    end.write(10**10 + 1, 0, 1, 160)


_SIP_SEEDS = [path.read_bytes() for path in sorted(_RFC_4475.glob("*.dat"))]
_SIP_PIECES = [b"Via: a;branch=b\r\n", b"\r\n ", b"a:b\r\n", b";a", b",", b'"', b"<", b" ", b"\t", b"x"]
_STREAM_PIECES = [*_SIP_PIECES, b"\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"]


def _stamp(data: bytes) -> None:
    """What a sender makes of an answer, and a reflector of a question."""
    stamp.decode_sender(data)
    read = stamp.decode_reflected(data)
    estimate = timestamp.from_error_estimate(read.error_estimate)
    (timestamp.from_ptp if estimate.ptp else timestamp.from_ntp)(read.received, 0)
    padding.reflected(data[stamp.BASE :])


def _dns(data: bytes) -> None:
    read = dns_answer.parse_answer(data)
    for record in (*read.answer, *read.authority, *read.additional):
        record.line.encode()


def _dns_answer(*records: str) -> bytes:
    """With these records, of types that dnspython reads each in its own way, in every section."""
    said = dns.message.make_response(dns.message.make_query("lab.test", "ANY", use_edns=0))
    said.use_edns(options=[dns.edns.EDEOption(6, "bogus")])
    for number, record in enumerate(records):
        kind, _, text = record.partition(" ")
        section = (said.answer, said.authority, said.additional)[number % 3]
        section.append(dns.rrset.from_text("a.lab.test.", 300, "IN", kind, text))
    return said.to_wire()


_DNS_SEEDS = [
    _dns_answer(
        "A 127.0.0.1", "NS ns.lab.test.", "AAAA ::1", "MX 10 a.lab.test.", "SRV 1 2 5060 a.lab.test."
    ),
    _dns_answer('TXT "v=spf1 -all"', "SOA ns.lab.test. h.lab.test. 1 2 3 4 5", "CNAME b.lab.test."),
    _dns_answer('NAPTR 10 5 "s" "SIP+D2U" "" _sip._udp.lab.test.', "HTTPS 1 . alpn=h2,h3 port=443"),
    _dns_answer("DS 1 13 2 " + "ab" * 32, "NSEC b.lab.test. A TXT TYPE1234", 'CAA 0 issue "a.test"'),
]


PARSERS = [
    Parser("sip message", _sip, (message.NotSip,), _SIP_SEEDS, _SIP_PIECES, message.LARGEST_HEAD),
    Parser("sip stream", _stream, (message.NotSip,), _SIP_SEEDS, _STREAM_PIECES, message.LARGEST_BODY),
    Parser(
        "digest challenge",
        _digest,
        (digest.BadChallenge,),
        [
            b'Digest realm="atlanta.example.com", nonce="84a4cc6f3082121f32b42a2187831a9e", qop="auth,auth-int"',
            b'Basic realm="x", Digest realm="a\\"b", nonce=n, algorithm=SHA-512-256, stale=TRUE, opaque="o"',
            b'Digest nonce="n", realm="", algorithm=MD5-sess, qop=auth',
        ],
        [b'a="', b'\\"', b"a=b,", b",", b" ", b'Digest a="b" ', b"a "],
        digest.LONGEST,
    ),
    Parser(
        "stamp",
        _stamp,
        (stamp.NotStamp,),
        [
            stamp.encode_sender(stamp.SenderPacket(1, timestamp.to_ntp(10**18), 0x8A05, 7))
            + padding.extra_padding(60),
            stamp.encode_reflected(stamp.ReflectedPacket(0, 2, 0xC0FF, 7, 1, 1, 2, 3, 64)),
        ],
        [bytes(4), b"\x80\x01\0\0", b"\0\x09\0\x04abcd"],
        stamp.LARGEST,
    ),
    Parser(
        "sdp",
        sdp.parse_sdp,
        (sdp.NotSdp,),
        [
            sdp.describe("127.0.0.1", 4000, (sdp.PCMA, sdp.PCMU), session_id=1),
            b"v=0\r\no=a 1 1 IN IP6 ::1\r\ns=-\r\nm=video 0 RTP/AVP 31\r\nm=audio 9/2 RTP/AVP 96 0 8\r\n"
            b"c=IN IP6 ::1\r\na=rtcp:53020 IN IP4 127.0.0.2\r\na=rtpmap:96 opus/48000/2\r\na=ptime:20.0\r\na=recvonly",
        ],
        [
            b"a=rtpmap:0 PCMU/8000\r\n",
            b" 0",
            b"m=audio 9 RTP/AVP 0\r\n",
            b"\r\n",
            b"a=",
            b"c=IN IP4 a\r\n",
            b" ",
            b"x",
        ],
        message.LARGEST_BODY,
    ),
    Parser(
        "rtp",
        rtp.parse_rtp,
        (rtp.NotRtp,),
        [
            rtp.RtpPacket(8, 1, 160, 7, bytes(160), marker=True).encode(),
            b"\xb2\x08" + bytes(18) + b"\xbe\xde\x00\x01abcdaudio\x00\x00\x03",
        ],
        [bytes(4), b"\xd5"],
        ports.LARGEST,
    ),
    Parser(
        "rtcp",
        _rtcp,
        (rtcp.NotRtcp,),
        [
            rtcp.sender_report(1, "cname", 1 << 40, 5, 6, 7, (_BLOCK, _BLOCK), goodbye=True),
            rtcp.receiver_report(2, "other", (_BLOCK,)),
        ],
        [rtcp.receiver_report(2, ""), bytes(4), b"\x80\xcb\x00\x00"],
        ports.LARGEST,
    ),
    Parser(
        "dns answer",
        _dns,
        (dns_answer.Unreadable,),
        _DNS_SEEDS,
        [b"\xc0\x0c", b"\x01a", b"\0", b"\xc0\x0c\0\2\0\1\0\0\0\1\0\2\xc0\x0c", bytes(10), b"\0\x0f\0\2\0\1"],
        65_535,
    ),
]
