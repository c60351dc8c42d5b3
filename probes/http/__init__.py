"""HTTP and HTTPS: is the answer what was promised? ``https://host/path``"""

from probes.http.options import HttpOptions
from probes.http.prober import HttpProber, HttpTarget
from probes.http.trail import PHASES

PROBER = HttpProber

__all__ = ["PHASES", "PROBER", "HttpOptions", "HttpProber", "HttpTarget"]
