"""DNS: does a server answer a question, in time and as it should? ``dns://server/name``, ``dns:name``"""

from probes.dns_server.options import DnsOptions, Rules
from probes.dns_server.prober import DnsProber
from probes.dns_server.target import DnsTarget

PROBER = DnsProber

__all__ = ["PROBER", "DnsOptions", "DnsProber", "DnsTarget", "Rules"]
