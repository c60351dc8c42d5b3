"""What becomes of a probe without an answer."""

from __future__ import annotations

import ssl

import aiohttp

from probes.blame import failed, not_asked
from probes.http.request import BadRedirect
from probes.http.trail import Trail
from probes.outcome import Outcome, Verdict
from probes.tls import certificate_fault, system_trusts_anyone


def failure(error: aiohttp.ClientError | BadRedirect, trail: Trail) -> Outcome:
    """The outcome of a probe that ended on its way."""
    detail = {**trail.detail, "error": _words(error)}
    match error:
        case BadRedirect():
            return Outcome(Verdict.BAD, trail.sent_ns, str(error), detail={**trail.detail, "to": error.to})
        case aiohttp.ClientConnectorDNSError():
            return not_asked(error.os_error, trail.sent_ns, trail.detail)
        case aiohttp.ClientConnectorCertificateError() if not (
            trail.options.ca_file or system_trusts_anyone()
        ):
            return not_asked(OSError("no CA certificates on this host"), trail.sent_ns, detail)
        case aiohttp.ClientConnectorCertificateError():
            reason = certificate_fault(error.certificate_error)
        case aiohttp.ClientConnectorSSLError():
            reason = "TLS handshake failed"
        case aiohttp.ClientConnectorError():
            return failed(error.os_error, trail.sent_ns, trail.sockaddr, detail)
        case aiohttp.ClientOSError() if isinstance(error.__cause__, ssl.SSLError):
            reason = "TLS handshake failed"  # in TLS 1.3 a refusal of our certificate comes after it
        case aiohttp.ClientOSError():
            return failed(error, trail.sent_ns, trail.sockaddr, detail)
        case aiohttp.ServerDisconnectedError():
            reason = "closed without an answer"
        case aiohttp.ClientPayloadError():
            reason = "body broken off"
        case aiohttp.InvalidURL():
            return Outcome(Verdict.NOT_ASKED, trail.sent_ns, "invalid URL", detail=detail)
        case _:
            reason = "not HTTP"
    return Outcome(Verdict.BAD, trail.sent_ns, reason, detail=detail)


def _words(error: Exception) -> str:
    """What went wrong, without aiohttp's own wrapping."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error)
    return str(error) or type(error).__name__
