"""Test packets as octets, timestamps, and padding: exact, and safe from whatever arrives."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.stamp.clock import read_clock
from probes.stamp.packet import (
    BASE,
    ECHOED,
    IDENTITY,
    SMALLEST,
    NotStamp,
    ReflectedPacket,
    SenderPacket,
    decode_reflected,
    decode_sender,
    encode_reflected,
    encode_sender,
)
from probes.stamp.padding import FIELD, extra_padding, reflected
from probes.stamp.timestamp import (
    ErrorEstimate,
    from_error_estimate,
    from_ntp,
    from_ptp,
    to_error_estimate,
    to_ntp,
    to_ptp,
)
from tests.fuzzing.mutations import mutated
from tests.peers import peer

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
SENDERS = st.builds(SenderPacket, U32, U64, U16, U16)
REFLECTEDS = st.builds(ReflectedPacket, U32, U64, U16, U16, U64, U32, U64, U16, U8)
BEGIN_OF_2036_ERA_NS = 2_085_978_496 * 10**9  # 2036-02-07T06:28:16Z, RFC 5905 figure 4
INSTANTS = st.integers(0, 4 * 10**18)  # up to 2096


@given(SENDERS)
def test_a_senders_packet_is_read_as_it_was_written(packet: SenderPacket) -> None:
    data = encode_sender(packet)
    assert len(data) == BASE
    assert decode_sender(data) == packet
    assert decode_sender(data[:SMALLEST]) == packet


@given(REFLECTEDS)
def test_a_reflected_packet_is_read_as_it_was_written_also_as_twamp_light(packet: ReflectedPacket) -> None:
    data = encode_reflected(packet)
    assert len(data) == BASE
    assert decode_reflected(data) == packet
    assert decode_reflected(data[:SMALLEST]) == packet
    sender = SenderPacket(packet.sender_sequence, packet.sender_timestamp, packet.sender_error_estimate, 0)
    assert data[ECHOED] == encode_sender(sender)[IDENTITY]


@given(SENDERS, st.binary(min_size=SMALLEST - 16, max_size=200).filter(lambda tail: any(tail[:25])))
def test_padding_where_a_stamp_sender_has_zeros_is_no_session(packet: SenderPacket, tail: bytes) -> None:
    assert decode_sender(encode_sender(packet)[:16] + tail) == replace(packet, session=0)


@given(st.binary(max_size=SMALLEST - 1))
def test_what_could_not_be_answered_in_the_same_size_is_no_test_packet(data: bytes) -> None:
    for decode in (decode_sender, decode_reflected):
        with pytest.raises(NotStamp):
            decode(data)


def test_a_hundred_thousand_mutated_packets_are_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(8762)
    seeds = [
        encode_sender(SenderPacket(1, to_ntp(10**18), 0x8001, 7)) + extra_padding(100),
        encode_reflected(ReflectedPacket(0, to_ntp(10**18), 0xC0FF, 7, 1, 1, 2, 3, 64)),
        chance.randbytes(SMALLEST),
    ]
    refused = 0
    for data in mutated(seeds, 100_000, seed=8972):
        try:
            packet = decode_reflected(data)
            decode_sender(data)
        except NotStamp:
            refused += 1
            continue
        estimate = from_error_estimate(packet.error_estimate)
        assert estimate.error_ns >= 0
        for read in (from_ntp, from_ptp):
            assert abs(read(packet.received, 10**18) - 10**18) <= 2**31 * 10**9 + 4 * 10**9
        assert len(reflected(data[BASE:])) == len(data[BASE:])
    assert 0 < refused < 100_000


@given(INSTANTS, st.integers(-(10**18), 10**18))
def test_an_instant_survives_both_formats_to_the_nanosecond(instant_ns: int, off_ns: int) -> None:
    assert from_ntp(to_ntp(instant_ns), instant_ns + off_ns) == instant_ns
    assert from_ptp(to_ptp(instant_ns), instant_ns + off_ns) == instant_ns


@given(INSTANTS)
def test_an_ntp_timestamp_is_never_more_than_half_a_unit_off(instant_ns: int) -> None:
    exact = Fraction(instant_ns, 10**9) * 2**32 + 2_208_988_800 * 2**32
    assert abs((to_ntp(instant_ns) - exact + 2**63) % 2**64 - 2**63) <= Fraction(1, 2)


def test_ntp_seconds_begin_again_in_2036_and_time_goes_on() -> None:
    last, first = BEGIN_OF_2036_ERA_NS - 1, BEGIN_OF_2036_ERA_NS
    assert to_ntp(first) == 0
    assert to_ntp(last) >> 32 == 2**32 - 1
    for sent, arrived in ((last, first), (first, last)):
        assert from_ntp(to_ntp(sent), arrived) == sent


def test_known_timestamps() -> None:
    assert to_ntp(0) == 2_208_988_800 << 32  # 1970-01-01, RFC 5905 figure 4
    assert to_ntp(500_000_000) & 0xFFFF_FFFF == 1 << 31
    assert to_ptp(1_500_000_001) == (1 << 32) + 500_000_001


@given(st.integers(0, 10**15), st.booleans(), st.booleans())
def test_an_error_estimate_is_rounded_up_and_by_less_than_a_hundredth(
    error_ns: int, synchronised: bool, ptp: bool
) -> None:
    bits = to_error_estimate(ErrorEstimate(synchronised, error_ns, ptp))
    assert bits & 0xFF >= 1
    read = from_error_estimate(bits)
    assert (read.synchronised, read.ptp) == (synchronised, ptp)
    assert error_ns <= read.error_ns <= error_ns * 1.01 + 2


def test_an_error_estimate_without_multiplier_is_no_claim() -> None:
    assert not from_error_estimate(0x8000).synchronised
    assert from_error_estimate(0x8001).synchronised


@given(st.just(0) | st.integers(FIELD, 9_000))
def test_padding_has_the_octets_that_were_asked_for_and_is_recognized(octets: int) -> None:
    fields = extra_padding(octets)
    assert len(fields) == octets
    back = reflected(fields)
    assert len(back) == octets
    if octets:
        assert (fields[0], back[0]) == (0x80, 0)
        assert back[1:] == fields[1:]


def test_fields_that_we_do_not_know_are_flagged_and_what_is_malformed_ends_the_reading() -> None:
    known, unknown = extra_padding(8), b"\x00\x09\x00\x02ab"
    assert reflected(unknown + known) == b"\x80" + unknown[1:] + b"\0" + known[1:]
    too_long = b"\x80\x01\x00\x09abcdefgh"
    assert reflected(too_long + known)[0] == 0  # the field behind it gives it enough octets
    assert reflected(known + too_long) == b"\0" + known[1:] + b"\x40" + too_long[1:]
    assert reflected(bytes(20) + known) == bytes(20) + known  # TWAMP Light's padding stays as it is


def test_the_system_says_what_it_knows_of_its_clock() -> None:
    clock = read_clock()
    assert 0 <= clock.error_ns < 60 * 10**9
    assert 0 <= clock.tai_s < 60


def test_wireshark_reads_what_we_write(tmp_path: Path) -> None:
    sent_ns = 1_795_471_669_500_000_000  # 2026-11-23T22:07:49.5Z
    sender = encode_sender(SenderPacket(9, to_ntp(sent_ns), 0x8A05, 0))
    back = encode_reflected(
        ReflectedPacket(
            4, to_ntp(sent_ns + 3000), 0x0A05, 0, to_ntp(sent_ns + 1000), 9, to_ntp(sent_ns), 0x8A05, 61
        )
    )
    text = "".join(f"0000 {data.hex(' ')}\n" for data in (sender, back))
    (tmp_path / "packets.txt").write_text(text)
    capture = str(tmp_path / "packets.pcap")
    subprocess.run(
        [peer("text2pcap"), "-q", "-u", "9000,862", str(tmp_path / "packets.txt"), capture],
        check=True,
        capture_output=True,
    )
    names = (
        "seq_number",
        "timestamp",
        "receive_timestamp",
        "sender_seq_number",
        "sender_timestamp",
        "sender_ttl",
    )
    wanted = [*names, "error_estimate.s", "error_estimate.scale", "error_estimate.multiplier"]
    fields = [word for name in wanted for word in ("-e", f"twamp.test.{name}")]
    argv = [
        peer("tshark"),
        "-r",
        capture,
        "-d",
        "udp.port==862,twamp.test",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
        *fields,
    ]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    ours, theirs = (line.split("\t") for line in done.stdout.splitlines())
    sent, arrived, left = (f"Nov 23, 2026 22:07:49.50000{us}000 UTC" for us in (0, 1, 3))
    assert ours[:2] == ["9", sent]
    assert theirs[:6] == ["4", left, arrived, "9", sent, "61"]
    assert (ours[6:], theirs[6:]) == (["1", "10", "5"], ["0", "10", "5"])
