"""A connection to a member over TCP, and TLS with the certificate that SIP asks for (RFC 5922)."""

from __future__ import annotations

import ssl
import time

from probes.resolve import literal
from probes.sip.certified import certified
from probes.sip.locate import Member
from probes.sip.options import UserAgentOptions
from probes.sip.uri import SipTarget
from probes.stream import Stream
from probes.tls import Contexts, peer_certificate, peer_detail
from probes.trace import tell

Phases = tuple[tuple[str, float], ...]

SOMEONE_ELSE = "certificate: Hostname mismatch"
"""What is said of a trusted certificate that is another domain's, in OpenSSL's words."""


async def connect(stream: Stream, member: Member) -> Phases:
    """Raises OSError."""
    tell("connecting", address=member.address, port=member.port, transport=member.transport)
    began_ns = time.monotonic_ns()
    await stream.connect(member.port)
    return (("connect", (time.monotonic_ns() - began_ns) / 1e9),)


async def secure(
    stream: Stream, target: SipTarget, options: UserAgentOptions, contexts: Contexts[ssl.SSLContext]
) -> tuple[Phases, dict[str, object]]:
    """Shake hands; how long that took, and what the peer showed. Raises OSError, also for a name that cannot be
    asked for, and ``ssl.SSLError``."""
    # the name is checked as SIP has it, not as HTTPS does
    context = contexts.get(options, check_name=False)
    name = _domain(target, options)
    began_ns = time.monotonic_ns()
    try:
        tls = await stream.start_tls(context, None if literal(name) else name)
    except ssl.SSLError:
        raise
    except ValueError as error:
        raise OSError(f"no host name: {name!r:.80}") from error
    took_s = (time.monotonic_ns() - began_ns) / 1e9
    shown = peer_detail(tls)
    tell("TLS", **shown)
    return (("tls", took_s),), shown


def is_someone_else(stream: Stream, target: SipTarget, options: UserAgentOptions) -> bool:
    """Whether a trusted peer is not whom we asked for."""
    if stream.tls is None or not options.verify_tls:
        return False
    certificate = peer_certificate(stream.tls)
    return certificate is None or not certified(certificate, _domain(target, options))


def _domain(target: SipTarget, options: UserAgentOptions) -> str:
    """Whose certificate it has to be: of the domain that the URI names, not of the host that DNS led to."""
    return options.server_name or (options.first_hop or target).host.partition("%")[0]
