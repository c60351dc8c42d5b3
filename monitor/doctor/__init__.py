"""What is wrong with this host, as far as Ringback depends on it. Looks, and changes nothing."""

from monitor.doctor.examination import examine
from monitor.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
