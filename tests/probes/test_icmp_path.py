"""ICMP across a real router: what fits the path, who says that it does not, and how far a packet comes."""

from __future__ import annotations

import pytest

from tests.probes.paths import ALSO_NEAR, FAR, FAR6, GONE, HOLE, PATH_MTU, ROUTER, ask_across

DATAGRAM = "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"
"""Lets everybody have datagram ICMP sockets; a new namespace only has raw ones."""

FITS = {FAR: PATH_MTU - 28, FAR6: PATH_MTU - 48}
"""Bytes of data in the largest packet that gets through in one piece."""

BRIEF = {"timeout": "300ms"}


def target(address: str) -> str:
    return f"icmp://[{address}]" if ":" in address else f"icmp://{address}"


@pytest.mark.parametrize("setup", ["", DATAGRAM], ids=["raw socket", "datagram socket"])
@pytest.mark.parametrize(("far", "router", "icmp"), [(FAR, ROUTER, "3/4"), (FAR6, "fd77::2", "2/0")])
def test_what_is_too_big_for_the_path_is_bad_every_time_and_the_router_says_what_would_fit(
    setup: str, far: str, router: str, icmp: str
) -> None:
    whole = {"dont_fragment": True, "timeout": "2s"}
    fits, too_big, again, burst = ask_across(
        [
            (target(far), {**whole, "size": FITS[far]}),
            (target(far), {**whole, "size": FITS[far] + 1}),
            (target(far), {**whole, "size": FITS[far] + 1}),
            (target(far), {**whole, "size": FITS[far] + 100, "count": 3}),
        ],
        setup,
    )
    assert fits[:2] == ("GOOD", "echo")
    for verdict, reason, detail in (too_big, again, burst):
        assert (verdict, reason) == ("BAD", "too big for the path")
        assert (detail["path_mtu"], detail["by"], detail["icmp"]) == (PATH_MTU, router, icmp)
    assert (burst[2]["sent"], burst[2]["received"]) == (3, 0)


def test_what_our_own_interface_cannot_send_whole_was_never_asked() -> None:
    whole = {"dont_fragment": True, **BRIEF}
    fits4, fits6 = 1500 - 28, 1500 - 48
    four, six, in_pieces = ask_across(
        [
            (target(FAR), {**whole, "size": fits4 + 1}),
            (target(FAR6), {**whole, "size": fits6 + 1}),
            (target(FAR), {"size": 65_000}),
        ]
    )
    for verdict, reason, _ in (four, six):
        assert (verdict, reason) == ("NOT_ASKED", "too big for this host's own interface")
    assert in_pieces[:2] == ("GOOD", "echo")


@pytest.mark.parametrize(("far", "router"), [(FAR, ROUTER), (FAR6, "fd77::2")])
def test_a_ttl_ends_where_it_should(far: str, router: str) -> None:
    one_hop, two_hops = ask_across([(target(far), {"ttl": 1}), (target(far), {"ttl": 2})])
    assert one_hop[:2] == ("BAD", "time exceeded")
    assert one_hop[2]["by"] == router
    assert two_hops[:2] == ("GOOD", "echo")
    assert two_hops[2]["ttl"] == 63


def test_a_route_that_ends_at_the_router_is_bad_and_a_hole_is_silent() -> None:
    gone, hole = ask_across([(target(GONE), {}), (target(HOLE), BRIEF)])
    assert gone[:2] == ("BAD", "host unreachable")
    assert gone[2]["by"] == ROUTER
    assert hole[:2] == ("BAD", "timeout")
    assert hole[2]["loss"] == 1


def test_requests_leave_from_the_address_and_with_the_code_point_that_were_asked_for() -> None:
    expedited = "-m dscp --dscp 46"
    setup = (
        f"on_far iptables -A INPUT -p icmp -s {ALSO_NEAR} {expedited} -j ACCEPT; on_far iptables -A INPUT -j DROP;"
        f"on_far ip6tables -A INPUT -p icmpv6 --icmpv6-type echo-request {expedited} -j ACCEPT;"
        "on_far ip6tables -A INPUT -p icmpv6 --icmpv6-type echo-request -j DROP"
    )
    both, neither, without_dscp, six, six_without = ask_across(
        [
            (target(FAR), {"source_address": ALSO_NEAR, "dscp": 46, **BRIEF}),
            (target(FAR), BRIEF),
            (target(FAR), {"source_address": ALSO_NEAR, **BRIEF}),
            (target(FAR6), {"dscp": 46}),
            (target(FAR6), BRIEF),
        ],
        setup,
    )
    assert both[:2] == six[:2] == ("GOOD", "echo")
    assert both[2]["source_address"] == ALSO_NEAR
    assert neither[:2] == without_dscp[:2] == six_without[:2] == ("BAD", "timeout")


def test_loss_on_the_way_is_counted() -> None:
    every_second = (
        "on_router iptables -A FORWARD -p icmp -m statistic --mode nth --every 4 --packet 3 -j DROP"
    )
    options = {"count": 8, "timeout": "600ms", "loss_degraded": "20 %"}
    ((verdict, reason, detail),) = ask_across([(target(FAR), options)], every_second)
    assert (verdict, reason) == (
        "DEGRADED",
        "loss",
    )  # of 8 requests and their answers every fourth packet is lost
    assert detail["loss"] == (8 - detail["received"]) / 8
    assert 4 <= detail["received"] <= 6
