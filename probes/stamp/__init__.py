"""STAMP and TWAMP Light, loss and delay in each direction: ``stamp://host``"""

from probes.stamp.options import StampOptions
from probes.stamp.prober import StampProber, StampTarget

PROBER = StampProber

__all__ = ["PROBER", "StampOptions", "StampProber", "StampTarget"]
