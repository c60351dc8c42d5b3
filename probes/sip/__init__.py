"""SIP (RFC 3261): a sans-I/O core of messages and transactions, and the prober on it."""

from probes.sip.options import SipOptions
from probes.sip.prober import SipProber
from probes.sip.uri import SipTarget

PROBER = SipProber

__all__ = ["PROBER", "SipOptions", "SipProber", "SipTarget"]
