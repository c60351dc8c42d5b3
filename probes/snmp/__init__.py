"""SNMP: a GET to an agent, version 2c."""

from probes.snmp.prober import SnmpOptions, SnmpProber, SnmpTarget

PROBER = SnmpProber

__all__ = ["PROBER", "SnmpOptions", "SnmpProber", "SnmpTarget"]
