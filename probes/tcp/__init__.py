"""TCP: does the port take connections, and say what it should? ``tcp://host:port``"""

from probes.tcp.options import TcpOptions, Turn
from probes.tcp.prober import TcpProber

PROBER = TcpProber

__all__ = ["PROBER", "TcpOptions", "TcpProber", "Turn"]
