"""Audio without sockets: descriptions, packets, reports, what was received, and how good that sounds."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.call.mos import mos, rating
from probes.call.reception import Heard, reception
from probes.call.reports import Far, Reports
from probes.call.rtcp import (
    Block,
    NotRtcp,
    middle,
    ntp,
    parse_rtcp,
    receiver_report,
    round_trip_s,
    sender_report,
)
from probes.call.rtp import NotRtp, RtpPacket, parse_rtp
from probes.call.sdp import PCMA, PCMU, Codec, NotSdp, describe, parse_sdp
from probes.call.tone import frame, is_audible

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)

LOST = st.integers(-8_388_608, 8_388_607)
BLOCKS = st.builds(Block, U32, st.integers(0, 255), LOST, U32, U32, U32, U32)


class TestDescription:
    @given(st.sampled_from(["127.0.0.1", "::1", "fd00::5:1"]), st.integers(1, 65_534), st.booleans())
    def test_what_is_offered_can_be_read(self, host: str, port: int, first: bool) -> None:
        codecs = (PCMA, PCMU) if first else (PCMU,)
        media = parse_sdp(describe(host, port, codecs, session_id=7, direction="sendonly"))
        assert media is not None
        assert (media.host, media.port, media.codecs) == (host, port, codecs)
        assert (media.direction, media.ptime_ms) == ("sendonly", 20)
        assert (media.rtcp_host, media.rtcp_port) == (host, port + 1)

    def test_the_stream_has_precedence_over_the_session(self) -> None:
        media = parse_sdp(
            b"v=0\no=- 1 1 IN IP4 a\ns=-\nc=IN IP4 127.0.0.1\na=sendonly\nt=0 0\nm=video 9 RTP/AVP 31\n"
            b"m=audio 4000/2 RTP/AVP 101 8 96\nc=IN IP4 127.0.0.2/127\na=recvonly\na=rtcp:4009 IN IP4 127.0.0.3\n"
            b"a=rtpmap:101 telephone-event/8000\na=rtpmap:96 opus/48000/2\na=ptime:30"
        )
        assert media is not None
        assert (media.host, media.port, media.direction, media.ptime_ms) == (
            "127.0.0.2",
            4000,
            "recvonly",
            30,
        )
        assert (media.rtcp_host, media.rtcp_port) == ("127.0.0.3", 4009)
        assert media.codecs == (Codec(101, "TELEPHONE-EVENT"), PCMA, Codec(96, "OPUS", 48_000))

    @pytest.mark.parametrize(
        "stream", ["m=audio 0 RTP/AVP 8", "m=audio 9 RTP/SAVP 8", "m=video 9 RTP/AVP 31", ""]
    )
    def test_a_stream_that_is_rejected_or_not_for_us_is_none(self, stream: str) -> None:
        assert parse_sdp(f"v=0\r\nc=IN IP4 127.0.0.1\r\n{stream}\r\n".encode()) is None

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "v=0"),
            ("v=1\r\n", "v=0"),
            ("v=0\r\nm=audio", "line 2"),
            ("v=0\r\nsession", "line 2: expected a letter"),
            ("v=0\r\nm=audio 70000 RTP/AVP 0", "65535"),
            ("v=0\r\nm=audio 9 RTP/AVP 0", "without an address"),
            ("v=0\r\nc=IN IP9 x\r\n", "IP4"),
            ("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 300", "0 to 127"),
            ("v=0\r\n" + "a=x\r\n" * 2_000, "lines"),
        ],
    )
    def test_a_mistake_is_named(self, text: str, said: str) -> None:
        with pytest.raises(NotSdp, match=said):
            parse_sdp(text.encode())

    @given(st.binary(max_size=300))
    def test_whatever_comes_nothing_but_its_own_error_comes_out(self, data: bytes) -> None:
        for body in (data, b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n" + data):
            try:
                parse_sdp(body)
            except NotSdp:
                pass


class TestPackets:
    @given(st.integers(0, 63), U16, U32, U32, st.binary(max_size=400), st.booleans())
    def test_what_is_written_can_be_read(
        self, kind: int, number: int, stamp: int, ssrc: int, payload: bytes, marker: bool
    ) -> None:
        packet = RtpPacket(kind, number, stamp, ssrc, payload, marker)
        assert parse_rtp(packet.encode()) == packet

    def test_sources_extension_and_padding_are_no_audio(self) -> None:
        head = bytes([0x80 | 0x20 | 0x10 | 2, 8]) + bytes(10) + bytes(8)
        assert parse_rtp(head + b"\xbe\xde\x00\x01abcd" + b"audio" + b"\x00\x00\x03").payload == b"audio"

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            bytes(12),
            b"\x80\xc8" + bytes(10),
            b"\x8f\x00" + bytes(10),
            b"\x90\x00" + bytes(10),
            b"\x90\x00" + bytes(12) + b"\xff\xff",
            b"\xa0\x00" + bytes(10),
            b"\xa0\x00" + bytes(10) + b"\xff",
        ],
    )
    def test_what_is_no_packet_is_said_to_be_none(self, data: bytes) -> None:
        with pytest.raises(NotRtp):
            parse_rtp(data)

    @given(st.binary(max_size=200))
    def test_whatever_comes_nothing_but_its_own_error_comes_out(self, data: bytes) -> None:
        for read, error in ((parse_rtp, NotRtp), (parse_rtcp, NotRtcp)):
            try:
                read(data)
            except error:
                pass


class TestReports:
    @given(st.lists(BLOCKS, max_size=31))
    def test_what_is_written_can_be_read(self, blocks: list[Block]) -> None:
        clamped = tuple(
            Block(
                one.ssrc,
                one.fraction_lost,
                max(-8_388_607, one.lost),
                one.highest,
                one.jitter,
                one.last_report,
                one.delay,
            )
            for one in blocks
        )
        (heard,) = parse_rtcp(receiver_report(5, "name", tuple(blocks)))
        assert (heard.ssrc, heard.sent_at, heard.blocks) == (5, None, clamped)
        stamp = ntp(1_700_000_000_250_000_000)
        sent, gone = parse_rtcp(sender_report(6, "longer", stamp, 1, 2, 3, tuple(blocks), goodbye=True))
        assert (sent.sent_at, sent.blocks) == (middle(stamp), clamped)
        assert (gone.ssrc, gone.said_goodbye) == (6, True)

    @pytest.mark.parametrize("length", range(24))
    def test_a_packet_of_every_length_is_padded_to_words(self, length: int) -> None:
        assert len(receiver_report(5, "x" * length)) % 4 == 0

    def test_the_round_trip_is_what_is_left_without_the_far_end(self) -> None:
        """The example of RFC 3550 §6.4.1, figure 2: the answer is 6.125 s."""
        block = Block(1, 0, 0, 0, 0, last_report=0xB705_2000, delay=0x0005_4000)
        assert round_trip_s(block, 0xB710_8000) == 6.125
        assert round_trip_s(Block(1, 0, 0, 0, 0), 0xB710_8000) is None
        assert round_trip_s(block, 0xB705_2000) is None

    def test_two_ends_tell_each_other_what_they_lost(self) -> None:
        us, far = Reports(), Reports()
        first = us.first_sequence
        for index in range(100):
            if index % 10 != 5:
                far.hear(Heard((first + index) & 0xFFFF, index * 160, us.ssrc, index * 20_000_000, True))
        at_ns = 2_000_000_000
        far.take(us.write(at_ns, 0, 100, 16_000), at_ns + 5_000_000, None)
        us.take(far.write(at_ns + 300_000_000, 0, 0, 0), at_ns + 310_000_000, 0)
        assert us.far is not None
        assert us.far.lost_ratio == pytest.approx(0.1)
        assert us.far.round_trip_ms == pytest.approx(15, abs=0.1)
        assert us.far.jitter_ms == pytest.approx(0, abs=0.2)

    def test_a_far_end_that_reports_and_does_not_know_us_hears_nothing(self) -> None:
        us, far = Reports(), Reports()
        us.take(far.write(0, 0, 0, 0), 1_000_000_000, 0)
        assert us.far is None
        us.take(far.write(0, 0, 0, 0), 2_000_000_000, 0)
        assert us.far == Far(1.0)


def packet(
    number: int, at_ms: float, *, ssrc: int = 1, stamp: int | None = None, audible: bool = True
) -> Heard:
    stamp = number * 160 if stamp is None else stamp
    return Heard(number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc, int(at_ms * 1e6), audible)


class TestReception:
    @given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 298)), st.randoms(use_true_random=False))
    def test_every_packet_that_is_missing_is_lost_and_no_other(
        self, first: int, lost: set[int], random
    ) -> None:  # type: ignore[no-untyped-def]
        indices = [index for index in range(300) if index not in lost]
        moved = list(indices)
        for at in range(0, len(moved) - 5, 7):  # neighbours change places, the first stays
            if random.random() < 0.3 and at:
                moved[at], moved[at + 3] = moved[at + 3], moved[at]
        twice = [index for index in moved if random.random() < 0.1]
        heard = [packet(first + index, 20 * place) for place, index in enumerate(moved)]
        heard += [packet(first + index, 7_000) for index in sorted(twice) if index > 250]
        found = reception(heard)
        assert (found.lost, found.expected, found.received) == (len(lost), 300, 300 - len(lost))
        assert found.duplicates == sum(index > 250 for index in twice)
        assert found.reordered == sum(
            index < max(moved[:place]) for place, index in enumerate(moved) if place
        )

    @given(st.lists(st.floats(-8, 8), min_size=50, max_size=200))
    def test_jitter_is_the_mean_of_what_the_spacing_differs_by(self, delays: list[float]) -> None:
        heard = [packet(index, 100 + 20 * index + delay) for index, delay in enumerate(delays)]
        differences = [abs(after - before) for before, after in itertools.pairwise(delays)]
        assert reception(heard).jitter_ms == pytest.approx(sum(differences) / len(differences), abs=1e-3)

    def test_another_source_and_a_leap_that_is_confirmed_are_new_streams_and_no_loss(self) -> None:
        heard = [packet(index, 20 * index) for index in range(50)]
        heard += [packet(30_000 + index, 1_000 + 20 * index, ssrc=2) for index in range(50)]
        heard += [packet(9_000 + index, 2_000 + 20 * index, ssrc=2) for index in range(51)]
        found = reception(heard)
        assert (found.received, found.lost) == (150, 0)

    def test_a_single_packet_with_a_wild_number_counts_for_nothing(self) -> None:
        heard = [packet(index, 20 * index) for index in range(50)]
        heard.insert(25, packet(40_000, 499))
        assert (reception(heard).received, reception(heard).lost) == (50, 0)

    def test_a_sender_that_sets_its_clock_anew_has_no_jitter(self) -> None:
        heard = [
            packet(index, 20 * index, stamp=index * 160 + (index > 20) * 1_000_000) for index in range(50)
        ]
        assert reception(heard).jitter_ms == 0

    def test_nothing_is_nothing(self) -> None:
        found = reception([])
        assert (found.received, found.lost_ratio, found.jitter_ms, found.first_ns) == (0, 0.0, None, None)

    def test_the_gap_is_the_longest_and_silence_is_where_no_packet_is_audible(self) -> None:
        heard = [packet(0, 0, audible=False), packet(1, 20, audible=False), packet(2, 140, audible=False)]
        assert (reception(heard).longest_gap_ms, reception(heard).silent) == (120, True)
        assert not reception([*heard, packet(3, 160)]).silent


class TestTone:
    @pytest.mark.parametrize("codec", [PCMA, PCMU])
    def test_a_frame_lasts_20_ms_and_can_be_heard(self, codec: Codec) -> None:
        assert len(frame(codec)) == 160
        assert is_audible(frame(codec), codec)

    def test_silence_and_faint_noise_cannot(self) -> None:
        assert not is_audible(b"\xd5\x55\xd4\x54" * 40, PCMA)
        assert not is_audible(b"\xff\x7f\xfe\x7e" * 40, PCMU)
        assert is_audible(b"\xd5" * 159 + b"\xaa", PCMA)


class TestOpinion:
    def test_a_perfect_path_has_the_score_of_the_recommendation(self) -> None:
        assert rating(0, 0) == 93.2
        assert mos(93.2) == pytest.approx(4.41, abs=0.005)  # G.107, table of default values

    @pytest.mark.parametrize(
        ("delay_ms", "cost"),
        [(0, 0), (100, 0), (200, 25 * (1.122462 - 3.000686 + 2)), (400, 25 * (2.005202 - 3.042356 + 2))],
    )
    def test_delay_costs_what_the_recommendation_says(self, delay_ms: float, cost: float) -> None:
        """Idd with X = 0, 1, 2: taken by hand."""
        assert rating(delay_ms, 0) == pytest.approx(93.2 - cost, abs=0.005)

    def test_loss_costs_what_the_recommendation_says(self) -> None:
        """Ie,eff of G.711 with concealment at 5 %: 95 * 5 / (5 + 25.1) = 15.8."""
        assert rating(0, 0.05) == pytest.approx(93.2 - 15.78, abs=0.01)
        assert rating(0, 0.05, burst_ratio=2) < rating(0, 0.05)

    @given(st.floats(0, 2_000), st.floats(0, 1), st.floats(0, 500), st.floats(0, 0.5))
    def test_worse_never_sounds_better(self, delay: float, loss: float, more: float, lost: float) -> None:
        before, after = mos(rating(delay, loss)), mos(rating(delay + more, min(1.0, loss + lost)))
        assert 1 <= after <= before + 1e-9
        assert before <= 4.5
