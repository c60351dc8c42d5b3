"""What probes need of the kernel: sockets that may be opened, and enough of them."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

from monitor.config.values import CheckConfig, Configuration
from monitor.doctor.finding import Finding
from probes.datagram import RECEIVE_BUFFER

_PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
_SHARED = ("sip", "icmp")
"""Schemes whose probes share a socket."""

_ANSWER_BYTES = 1_024
"""What a small answer takes of a socket's buffer, with the kernel's own bookkeeping."""

_OWN_FILES = 64
"""Descriptors of the agent besides those of probes."""


def icmp(configuration: Configuration | None) -> Iterator[Finding]:
    """May we ask by ICMP echo? It matters as much as the configuration has checks that do."""
    needed = any(check.target.lower().startswith("icmp") for check in _checks(configuration))
    for family, protocol, name in (
        (socket.AF_INET, socket.IPPROTO_ICMP, "icmp over IPv4"),
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, "icmp over IPv6"),
    ):
        kind = _permitted(family, protocol)
        if kind:
            yield Finding(name, "ok", f"by {kind} sockets, for this user")
        else:
            yield Finding(
                name,
                "fail" if needed and family == socket.AF_INET else "warn",
                f"not permitted to this user ({_ping_groups()}); such checks are unknown",
                "install sysctl.d/50-ringback.conf, or the drop-in with CAP_NET_RAW (docs/install.md)",
            )


def _ping_groups() -> str:
    if not _PING_GROUPS.exists():
        return "net.ipv4.ping_group_range: not there"
    first, last = map(int, _PING_GROUPS.read_text().split())
    return f"net.ipv4.ping_group_range: {f'{first} to {last}' if first <= last else 'no group'}"


def _permitted(family: socket.AddressFamily, protocol: int) -> str | None:
    for kind, name in ((socket.SOCK_DGRAM, "datagram"), (socket.SOCK_RAW, "raw")):
        try:
            socket.socket(family, kind, protocol).close()
        except OSError:
            continue
        return name
    return None


def ipv6_loopback() -> Finding:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError as error:
        advice = (
            "nothing to do unless targets have IPv6 addresses; then enable it (net.ipv6.conf.*.disable_ipv6)"
        )
        return Finding("ipv6", "warn", f"this host has no ::1: {error.strerror}", advice)
    return Finding("ipv6", "ok", "loopback answers to ::1")


def receive_buffer(configuration: Configuration | None) -> Finding:
    """For how long may the agent look away before answers to shared sockets are dropped?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    rate = sum(1000 / check.interval_ms for check in _checks(configuration) if _shares_socket(check))
    held = size // _ANSWER_BYTES
    told = f"{size // 1024:,} KiB for a UDP socket, about {held:,} answers"
    if held < rate:
        return Finding(
            "receive buffer",
            "warn",
            f"{told}, and up to {rate:,.0f} come in a second",
            f"sysctl net.core.rmem_max={RECEIVE_BUFFER}",
        )
    return Finding("receive buffer", "ok", told)


def open_files(configuration: Configuration | None) -> Finding:
    """Are there descriptors for every check to hold one at the same time?"""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sum(1 for _ in _checks(configuration)) + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        return Finding(
            "open files",
            "warn",
            f"at most {soft:,} in this session, and {needed:,} may be needed at once",
            "LimitNOFILE= in the unit (65536 in ours), `ulimit -n` in a shell",
        )
    return Finding("open files", "ok", f"at most {soft:,} in this session, enough for {needed:,}")


def _checks(configuration: Configuration | None) -> Iterator[CheckConfig]:
    if configuration is not None:
        yield from configuration.agent.reference_targets
        for service in configuration.services:
            yield from service.checks


def _shares_socket(check: CheckConfig) -> bool:
    return check.target.partition(":")[0].lower() in _SHARED
