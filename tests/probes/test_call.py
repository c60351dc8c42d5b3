"""Calls to a real user agent (sipp): answered well, answered badly, no answer, could not ask; and how they end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.call import CallOptions, CallProber
from probes.outcome import Verdict
from probes.trace import traced
from tests.probes.call_peers import ANSWERED, ENDED, SHORT, ask, call, pause, receive, respond, sdp, sipp
from tests.probes.certificates import Authority
from tests.probes.daemons import free_port
from tests.probes.hosts import all_closed, no_file_descriptors, open_sockets, probe_without_network
from tests.probes.servers import closed_port
from tests.probes.sip_peers import PASSWORD, kamailio, kamailio_tls
from tests.probes.stamp_peers import Fate, answering, losing, relay, untouched

BYE = """<send>
<![CDATA[
BYE sip:ringback@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:100@[local_ip]>;tag=[pid]sipp[call_number]
[$1]
[last_Call-ID:]
CSeq: 1 BYE
Content-Length: 0

]]>
</send>"""
CALLER = (
    '<recv request="INVITE"><action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="2"/>'
    '<assignstr assign_to="1" value="To:[$2]"/></action></recv>'
)


class TestAnsweredWell:
    @pytest.mark.parametrize(("transport", "mode"), [("udp", "u1"), ("tcp", "t1")])
    def test_a_call_with_audio_both_ways_is_good_and_is_hung_up(
        self, tmp_path: Path, transport: str, mode: str
    ) -> None:
        with sipp(tmp_path, *ANSWERED, *ENDED, transport=mode) as peer:
            outcome = call(f"{peer.target};transport={transport}")
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
        detail, phases = outcome.detail, dict(outcome.phases)
        assert (detail["codec"], detail["silent"], detail["ended_by"], detail["bye_status"]) == (
            "PCMA",
            False,
            "us",
            200,
        )
        assert 25 <= int(str(detail["rtp_received"])) <= 31
        assert (detail["rtp_lost"], detail["rtp_reordered"], detail["rtp_duplicates"]) == (0, 0, 0)
        assert float(str(detail["mos"])) > 4.3
        assert 0.6 <= phases["talk"] < 1
        assert 0.14 <= phases["answer"] < 0.5
        assert list(phases)[-4:] == ["ring", "answer", "talk", "bye"]

    def test_audio_before_the_answer_is_noticed_and_is_no_part_of_the_talk(self, tmp_path: Path) -> None:
        early = (receive("INVITE"), respond("183 Session Progress", sdp()), pause(400))
        with sipp(tmp_path, *early, respond("200 OK", sdp()), receive("ACK"), *ENDED) as peer:
            outcome = call(peer.target)
            assert peer.ended_well()
        assert outcome.verdict is Verdict.GOOD
        assert 0 < float(str(outcome.detail["early_media_ms"])) < 350
        assert int(str(outcome.detail["rtp_received"])) <= 32
        assert int(str(outcome.detail["rtp_sent"])) >= 45

    def test_ringing_can_be_enough_and_then_nobody_has_to_answer(self, tmp_path: Path) -> None:
        cancelled = (receive("CANCEL"), respond("200 OK"), respond_487(), receive("ACK"))
        with sipp(tmp_path, receive("INVITE"), respond("180 Ringing"), *cancelled) as peer:
            outcome = call(peer.target, until="ringing")
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "ringing")

    def test_credentials_are_given_where_they_are_asked_for(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text(PASSWORD)
        with kamailio(tmp_path) as port:
            target = f"call:members@127.0.0.1:{port}"
            outcome = call(target, user="members", password_file=str(secret), audio="ignored")
            assert (outcome.verdict, outcome.detail["bye_status"]) == (Verdict.GOOD, 200)
            assert "challenge" in dict(outcome.phases)
            secret.write_text("wrong")
            refused = call(target, user="members", password_file=str(secret), audio="ignored")
            assert (refused.verdict, refused.reason) == (Verdict.BAD, "credentials refused")

    def test_over_tls_to_who_has_the_name(self, tmp_path: Path) -> None:
        ca = Authority(tmp_path)
        with kamailio_tls(tmp_path, ca.certificate("sbc.example.net"), ca.ca_file) as port:
            trusted = {"ca_file": str(ca.ca_file), "audio": "ignored"}
            outcome = call(f"calls:100@127.0.0.1:{port}", server_name="sbc.example.net", **trusted)
            assert (outcome.verdict, outcome.detail["tls"]) == (Verdict.GOOD, "TLSv1.3")
            stranger = call(f"calls:100@127.0.0.1:{port}", **trusted)
            assert stranger.verdict is Verdict.BAD


def respond_487() -> str:
    """To the INVITE, not to the CANCEL that came last."""
    return respond("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE")


class TestAnsweredBadly:
    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            ("486 Busy Here", Verdict.DEGRADED),
            ("600 Busy Everywhere", Verdict.DEGRADED),
            ("404 Not Found", Verdict.BAD),
            ("503 Service Unavailable", Verdict.BAD),
            ("603 Decline", Verdict.BAD),
        ],
    )
    def test_a_refusal_is_acknowledged_and_judged_by_its_code(
        self, tmp_path: Path, status: str, verdict: Verdict
    ) -> None:
        with sipp(
            tmp_path, receive("INVITE"), respond(status, extra="Retry-After: 9"), receive("ACK")
        ) as peer:
            outcome = call(peer.target)
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (verdict, status[:3])
        assert outcome.detail["status"] == int(status[:3])
        assert "ended_by" not in outcome.detail

    def test_the_operator_says_what_a_code_means(self, tmp_path: Path) -> None:
        with sipp(tmp_path, receive("INVITE"), respond("486 Busy Here"), receive("ACK")) as peer:
            assert call(peer.target, up_codes=["486"]).verdict is Verdict.GOOD

    @pytest.mark.parametrize(
        ("early_end", "verdict"),
        [("degraded", Verdict.DEGRADED), ("good", Verdict.GOOD), ("bad", Verdict.BAD)],
    )
    def test_a_peer_that_hangs_up_early_is_judged_as_configured(
        self, tmp_path: Path, early_end: str, verdict: Verdict
    ) -> None:
        steps = (CALLER, respond("200 OK", sdp()), receive("ACK"), pause(200), BYE)
        with sipp(tmp_path, *steps, '<recv response="200"/>') as peer:
            outcome = call(peer.target, early_end=early_end)
            assert peer.ended_well()
        assert (outcome.verdict, outcome.detail["ended_by"]) == (verdict, "peer")
        assert 0.15 < dict(outcome.phases)["talk"] < 0.5

    def test_no_audio_at_all_is_bad(self, tmp_path: Path) -> None:
        nowhere = sdp().replace("[media_port]", str(free_port()))
        with sipp(tmp_path, receive("INVITE"), respond("200 OK", nowhere), receive("ACK"), *ENDED) as peer:
            outcome = call(peer.target)
            assert peer.ended_well()
            assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "no audio")
            assert int(str(outcome.detail["rtp_refused"])) > 10

    def test_audio_that_is_silence_is_bad_where_sound_is_wanted(self, tmp_path: Path) -> None:
        async def main(audio: str) -> object:
            silence = answering(lambda data, _: [data[:12] + b"\xd5" * 160])
            async with silence as port:
                body = sdp().replace("[media_port]", str(port))
                with sipp(
                    tmp_path, receive("INVITE"), respond("200 OK", body), receive("ACK"), *ENDED
                ) as peer:
                    outcome = await ask(peer.target, audio=audio)
            assert outcome.detail["silent"] is True
            return outcome.verdict, outcome.reason

        assert asyncio.run(main("sound")) == (Verdict.BAD, "silence")
        assert asyncio.run(main("packets")) == (Verdict.GOOD, "200")

    @pytest.mark.parametrize("body", [sdp("18", "a=rtpmap:18 G729/8000"), "", "v=1"])
    def test_a_call_without_a_codec_in_common_is_bad_and_over_at_once(
        self, tmp_path: Path, body: str
    ) -> None:
        with sipp(tmp_path, receive("INVITE"), respond("200 OK", body), receive("ACK"), *ENDED) as peer:
            outcome = call(peer.target, duration="3s", timeout="12s")
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "no codec agreed")
        assert dict(outcome.phases)["talk"] < 1

    def test_a_bye_that_nobody_answers_makes_it_degraded(self, tmp_path: Path) -> None:
        with sipp(tmp_path, *ANSWERED, receive("BYE"), pause(2_500)) as peer:
            outcome = call(peer.target)
        assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "BYE not answered")

    @pytest.mark.parametrize("transport", ["udp", "tcp"])
    def test_a_closed_port_is_bad_at_once(self, transport: str) -> None:
        with closed_port() as port:
            outcome = call(f"call:100@127.0.0.1:{port};transport={transport}")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")


class TestNoAnswer:
    def test_a_phone_that_rings_for_ever_is_cancelled(self, tmp_path: Path) -> None:
        cancelled = (receive("CANCEL"), respond("200 OK"), respond_487(), receive("ACK"))
        with sipp(tmp_path, receive("INVITE"), respond("180 Ringing"), *cancelled) as peer:
            outcome = call(peer.target, answer_within="500ms")
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "no answer")
        assert outcome.detail["provisional"] == 180
        assert "status" not in outcome.detail
        assert 0.4 < dict(outcome.phases)["answer"] < 1

    def test_silence_is_a_timeout_and_the_invite_was_sent_again(self, tmp_path: Path) -> None:
        with sipp(tmp_path, receive("INVITE"), pause(4_000)) as peer:
            outcome = call(peer.target, answer_within="1200ms")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
        assert outcome.detail["retransmissions"] == 1

    def test_an_answer_that_comes_too_late_is_hung_up_on(self, tmp_path: Path) -> None:
        steps = (receive("INVITE"), respond("180 Ringing"), receive("CANCEL"), respond("200 OK"))
        answered = respond("200 OK", sdp()).replace("[last_CSeq:]", "CSeq: 1 INVITE")
        with sipp(tmp_path, *steps, answered, receive("ACK"), *ENDED) as peer:
            outcome = call(peer.target, answer_within="300ms")
            assert peer.ended_well()
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "no answer")


class TestCouldNotAsk:
    def test_without_a_network_nothing_is_said_of_the_number(self) -> None:
        assert probe_without_network("call:100@127.0.0.1:5060").startswith("NOT_ASKED")

    def test_without_a_socket(self) -> None:
        async def main() -> Verdict:
            prober = CallProber()
            target, options = CallProber.parse("call:1@127.0.0.1:5060"), CallOptions.model_validate(SHORT)
            with no_file_descriptors():
                outcome = await prober.probe(target, options)
            await prober.close()
            return outcome.verdict

        assert asyncio.run(main()) is Verdict.NOT_ASKED

    def test_without_the_password_that_was_configured(self, tmp_path: Path) -> None:
        outcome = call("call:1@127.0.0.1:5060", user="x", password_file=str(tmp_path / "none"))
        assert outcome.verdict is Verdict.NOT_ASKED
        assert "password" in outcome.reason

    def test_no_more_calls_in_an_hour_than_were_allowed(self, tmp_path: Path) -> None:
        async def main(port: int) -> list[tuple[Verdict, str]]:
            prober = CallProber()
            prober.remember_in(tmp_path)
            options = CallOptions.model_validate({**SHORT, "calls_per_hour": 2})
            target = CallProber.parse(f"call:100@127.0.0.1:{port}")
            asked = [prober.probe(target, options) for _ in range(5)]
            outcomes = await asyncio.gather(*asked)
            await prober.close()
            assert all("wait_s" in one.detail for one in outcomes if one.verdict is Verdict.NOT_ASKED)
            return sorted((one.verdict, one.reason) for one in outcomes)

        with sipp(tmp_path, receive("INVITE"), respond("486 Busy Here"), receive("ACK"), calls=2) as peer:
            found = asyncio.run(main(peer.port))
            assert peer.ended_well()
        used_up = (Verdict.NOT_ASKED, "calls per hour used up")
        assert found == [*[(Verdict.DEGRADED, "486")] * 2, *[used_up] * 3]

    def test_a_journal_that_cannot_be_written_makes_no_call(self, tmp_path: Path) -> None:
        async def main() -> str:
            prober = CallProber()
            with contextlib.suppress(OSError):
                prober.remember_in(tmp_path / "calls.txt")
            target, options = CallProber.parse("call:1@127.0.0.1:5060"), CallOptions.model_validate(SHORT)
            outcome = await prober.probe(target, options)
            await prober.close()
            return outcome.verdict.name

        (tmp_path / "calls.txt").touch()
        assert asyncio.run(main()) == "NOT_ASKED"


class TestHowItEnds:
    def test_a_probe_that_is_cancelled_hangs_up_all_the_same(self, tmp_path: Path) -> None:
        async def main(target: str) -> None:
            prober = CallProber()
            options = CallOptions.model_validate({**SHORT, "duration": "5s", "timeout": "12s"})
            probing = asyncio.ensure_future(prober.probe(CallProber.parse(target), options))
            await asyncio.sleep(0.4)
            probing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await probing
            await prober.close()

        with sipp(tmp_path, *ANSWERED, *ENDED) as peer:
            asyncio.run(main(peer.target))
            assert peer.ended_well()

    def test_a_prober_that_is_closed_hangs_up_on_everybody(self, tmp_path: Path) -> None:
        async def main(target: str) -> list[Verdict]:
            prober = CallProber()
            options = CallOptions.model_validate({**SHORT, "duration": "5s", "timeout": "12s"})
            probing = [
                asyncio.ensure_future(prober.probe(CallProber.parse(target), options)) for _ in range(10)
            ]
            await asyncio.sleep(0.5)
            await prober.close()
            return [one.verdict for one in await asyncio.gather(*probing)]

        with sipp(tmp_path, *ANSWERED, *ENDED, calls=10) as peer:
            verdicts = asyncio.run(main(peer.target))
            assert peer.ended_well()
        assert len(verdicts) == 10

    def test_nothing_stays_open(self, tmp_path: Path) -> None:
        async def main(target: str) -> None:
            before = open_sockets()
            prober = CallProber()
            await prober.probe(CallProber.parse(target), CallOptions.model_validate(SHORT))
            await prober.close()
            await all_closed(before)

        with sipp(tmp_path, *ANSWERED, *ENDED) as peer:
            asyncio.run(main(peer.target))

    def test_the_peer_is_told_after_which_time_the_call_is_dead(self, tmp_path: Path) -> None:
        timer = (
            '<recv request="INVITE"><action><ereg regexp="90;refresher=uac" search_in="hdr" '
            'header="Session-Expires:" check_it="true" assign_to="1"/></action></recv><Reference variables="1"/>'
        )
        with sipp(tmp_path, timer, respond("200 OK", sdp()), receive("ACK"), *ENDED) as peer:
            assert call(peer.target).verdict is Verdict.GOOD
            assert peer.ended_well()

    def test_who_watches_sees_every_message(self, tmp_path: Path) -> None:
        with sipp(tmp_path, *ANSWERED, *ENDED) as peer, traced() as trace:
            call(peer.target)
        text = "\n".join(str(line.facts) for line in trace.lines)
        for word in ("INVITE sip:100", "180 Ringing", "ACK sip:100", "BYE sip:100", "PCMA"):
            assert word in text


class TestThePath:
    """What a path does to the audio is measured, to within what is said here."""

    @pytest.mark.parametrize("direction", ["forward", "backward"])
    def test_loss_is_counted_to_the_packet(self, tmp_path: Path, direction: str) -> None:
        lost = (5, 6, 20, 33, 34, 35)
        detail = asyncio.run(over(tmp_path, **{direction: losing(*lost)}))
        assert detail["rtp_lost"] == len(lost)
        assert detail["rtp_loss_percent"] == pytest.approx(100 * 6 / 60, abs=1)

    def test_jitter_is_measured_to_within_two_milliseconds(self, tmp_path: Path) -> None:
        detail = asyncio.run(over(tmp_path, backward=lambda index: [0.012 if index % 2 else 0.0]))
        assert detail["rtp_jitter_ms"] == pytest.approx(12, abs=2)
        assert detail["rtp_lost"] == 0

    def test_packets_out_of_order_and_twice_are_counted_and_are_no_loss(self, tmp_path: Path) -> None:
        late = {10: [0.05], 20: [0.05], 30: [0.0, 0.001]}
        detail = asyncio.run(over(tmp_path, backward=lambda index: late.get(index, [0.0])))
        assert (detail["rtp_reordered"], detail["rtp_duplicates"], detail["rtp_lost"]) == (2, 1, 0)

    def test_a_path_that_goes_one_way_only_is_bad(self, tmp_path: Path) -> None:
        detail = asyncio.run(over(tmp_path, backward=lambda _: []))
        assert (detail["verdict"], detail["reason"], detail["rtp_received"]) == (Verdict.BAD, "no audio", 0)

    @pytest.mark.parametrize(
        ("options", "verdict", "reason"),
        [
            ({"loss_degraded": "5 %"}, Verdict.DEGRADED, "loss"),
            ({"loss_degraded": "5 %", "loss_down": "8 %"}, Verdict.BAD, "loss"),
            ({"loss_degraded": "30 %"}, Verdict.GOOD, "200"),
            ({"mos_degraded": 4.3}, Verdict.DEGRADED, "MOS"),
            ({"mos_down": 4.3}, Verdict.BAD, "MOS"),
            ({"jitter_degraded": "1s", "pdd_degraded": "2s"}, Verdict.GOOD, "200"),
            ({"pdd_degraded": "20us"}, None, ""),
        ],
    )
    def test_thresholds_are_the_operators(
        self, tmp_path: Path, options: dict[str, object], verdict: Verdict | None, reason: str
    ) -> None:
        if verdict is None:
            with pytest.raises(ValidationError):
                CallOptions.model_validate(options)
            return
        detail = asyncio.run(over(tmp_path, backward=losing(*range(5, 60, 7)), **options))
        assert (detail["verdict"], detail["reason"]) == (verdict, reason)


async def over(
    folder: Path,
    forward: Fate = untouched,
    backward: Fate = untouched,
    **options: object,
) -> dict[str, object]:
    """What a call of 1.2 s tells of its audio, over a path that does this to it."""
    media = free_port()
    async with relay(media, forward, backward) as port:
        body = sdp().replace("[media_port]", str(port))
        steps = (receive("INVITE"), respond("200 OK", body), receive("ACK"), *ENDED)
        with sipp(folder, *steps, media_port=media) as peer:
            outcome = await ask(peer.target, duration="1200ms", **options)
    return {"verdict": outcome.verdict, "reason": outcome.reason, **outcome.detail}


def test_a_target_without_a_number_is_an_error_that_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match="call:1000@sbc"):
        CallProber.parse("call:sbc.example.net")


def test_a_timeout_that_is_too_short_for_all_of_it_is_an_error() -> None:
    with pytest.raises(ValidationError, match="timeout of at least 17000 ms"):
        CallOptions.model_validate({"timeout": "10s"})
