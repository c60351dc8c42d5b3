"""From outcomes of probes to outages, months and claims."""

__version__ = "0.1.0"
