"""SNMP: objects, tables and named sensors of an agent, versions 1, 2c and 3."""

from probes.snmp.options import SnmpOptions
from probes.snmp.prober import SnmpProber, SnmpTarget

PROBER = SnmpProber

__all__ = ["PROBER", "SnmpOptions", "SnmpProber", "SnmpTarget"]
