"""Tables, views and their migrations, in the order in which they came.

Facts are append-only, and triggers keep them so. ``spans`` alone is derived: the time line of each service,
tiled without a gap from its first fact on, rebuilt from the facts at any time (see store.spans).
All instants are integer milliseconds of UTC; the views show them as ISO 8601.
"""

from sqlite_utils import Migrations

from monitor.store.schema.evidence import seals
from monitor.store.schema.first import first_schema
from monitor.store.schema.ledger import corrections_incidents_and_claims

migrations = Migrations("ringback")
migrations(name="m001_the_first_schema")(first_schema)
migrations(name="m002_corrections_incidents_and_claims")(corrections_incidents_and_claims)
migrations(name="m003_seals")(seals)

__all__ = ["migrations"]
