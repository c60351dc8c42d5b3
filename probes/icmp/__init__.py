"""ICMP echo, v4 and v6: ``icmp://host`` (``icmp4://``, ``icmp6://`` for one family)."""

from probes.icmp.options import IcmpOptions
from probes.icmp.prober import IcmpProber, IcmpTarget

PROBER = IcmpProber

__all__ = ["PROBER", "IcmpOptions", "IcmpProber", "IcmpTarget"]
