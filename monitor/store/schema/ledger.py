"""Corrections of the time line, incidents with their clocks, and claims: amended, settled, without an amount."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.store.schema.statements import iso, keep, run

_CORRECTIONS = """
CREATE TABLE corrections (       -- what an operator knows better than the probes; the later entered holds
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    service INTEGER NOT NULL REFERENCES services,
    class TEXT NOT NULL CHECK (class IN ('provider', 'unseen', 'false_alarm')),
    state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms),
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
CREATE INDEX corrections_by_service ON corrections (service, from_ms);
CREATE TABLE correction_withdrawals (
    key INTEGER PRIMARY KEY,
    correction INTEGER NOT NULL UNIQUE REFERENCES corrections,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
CREATE TABLE corrected_spans (
    service INTEGER NOT NULL REFERENCES services,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,               -- null: goes on; known up to the heartbeat of the run
    state TEXT NOT NULL,
    seen_ms INTEGER,
    outage INTEGER,              -- first_bad of the outage that this stretch of down belongs to
    reason TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('probe', 'import', 'correction')),
    PRIMARY KEY (service, from_ms)
) WITHOUT ROWID;
INSERT INTO corrected_spans
    SELECT service, from_ms, to_ms, state, seen_ms, outage, reason, source FROM spans;
DROP TABLE spans;
ALTER TABLE corrected_spans RENAME TO spans;
CREATE INDEX spans_not_up ON spans (service, from_ms, to_ms, state, outage) WHERE state <> 'up';
CREATE TABLE withdrawn (         -- as withdrawals were, and each with a key in the order of entry
    key INTEGER PRIMARY KEY,
    exclusion INTEGER NOT NULL UNIQUE REFERENCES exclusions,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
INSERT INTO withdrawn (exclusion, reason, author, entered_ms)
    SELECT exclusion, reason, author, entered_ms FROM withdrawals ORDER BY entered_ms, exclusion;
DROP TABLE withdrawals;
ALTER TABLE withdrawn RENAME TO withdrawals;
"""

_INCIDENTS = """
CREATE TABLE incidents (         -- a problem that was reported to the provider
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    service INTEGER NOT NULL REFERENCES services,
    title TEXT NOT NULL,
    reference TEXT NOT NULL,     -- the ticket's; '' while there is none
    reported_ms INTEGER NOT NULL,
    terms TEXT NOT NULL,         -- JSON: plan and rules that the clocks count by
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
CREATE INDEX incidents_by_service ON incidents (service, reported_ms);
CREATE TABLE incident_events (   -- of two of one kind the later entered one holds
    key INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incidents,
    event TEXT NOT NULL CHECK (event IN ('acknowledged', 'intervention', 'resolved', 'reference', 'withdrawn')),
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,          -- of a reference: the reference
    entered_ms INTEGER NOT NULL
);
CREATE INDEX incident_events_by_incident ON incident_events (incident);
CREATE TABLE incident_outages (  -- the outages of its service that an incident is about
    key INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incidents,
    first_bad_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL,
    UNIQUE (incident, first_bad_ms)
);
"""

_CLAIMS = """
CREATE TABLE owed (
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('availability', 'response')),
    month INTEGER UNIQUE REFERENCES months,         -- the revision that it follows from; null: no credit of a month
    incident INTEGER REFERENCES incidents,          -- the one whose clock was breached; null: no clock
    clock TEXT CHECK (clock IN ('mrt', 'tti', 'ttr')),
    amends INTEGER REFERENCES entitlements,         -- one that was sent already, and follows from an earlier revision
    amount TEXT,                 -- null: to be agreed
    currency TEXT,
    calculation TEXT NOT NULL,   -- JSON: [[what, how, result], ...]
    drafted_ms INTEGER NOT NULL,
    UNIQUE (incident, clock),
    CHECK ((month IS NULL) <> (incident IS NULL))
);
CREATE TABLE owed_events (
    key INTEGER PRIMARY KEY,
    entitlement INTEGER NOT NULL REFERENCES owed,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    reference TEXT NOT NULL DEFAULT '',  -- the provider's: of a claim, a credit note
    amount TEXT                  -- what was accepted, or paid
);
INSERT INTO owed (key, uid, kind, month, amount, currency, calculation, drafted_ms)
    SELECT key, uid, 'availability', month, amount, currency, calculation, drafted_ms FROM entitlements;
INSERT INTO owed_events (key, entitlement, state, at_ms, author, note)
    SELECT key, entitlement, state, at_ms, author, note FROM entitlement_events;
DROP TABLE entitlement_events;
DROP TABLE entitlements;
ALTER TABLE owed RENAME TO entitlements;
ALTER TABLE owed_events RENAME TO entitlement_events;
CREATE INDEX entitlement_events_by_entitlement ON entitlement_events (entitlement);
ALTER TABLE months ADD COLUMN facts TEXT;  -- JSON: of each table of facts the last key that was counted
"""

_DROPPED_VIEWS = ("credits", "exclusions_in_force", "service_states", "outages")
"""They speak of tables that are made anew, and are made again after them."""


def corrections_incidents_and_claims(db: Database) -> None:
    views = {
        name: db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
        for name in _DROPPED_VIEWS
    }
    for name in views:
        db.conn.execute(f"DROP VIEW {name}")
    for script in (_CORRECTIONS, _INCIDENTS, _CLAIMS):
        run(db.conn, script)
    del views["credits"], views["outages"]
    for view in views.values():
        db.conn.execute(view)
    run(db.conn, _VIEWS)
    keep(
        db.conn,
        (
            "corrections",
            "correction_withdrawals",
            "withdrawals",
            "incidents",
            "incident_events",
            "incident_outages",
            "entitlements",
            "entitlement_events",
        ),
    )


_VIEWS = f"""
CREATE VIEW credits AS
    SELECT entitlements.uid, coalesce(of_month.id, of_incident.id) AS service, kind, months.month, revision,
           incidents.uid AS incident, clock, amount, currency,
           (SELECT state FROM entitlement_events WHERE entitlement = entitlements.key
            ORDER BY key DESC LIMIT 1) AS state, {iso("drafted_ms")} AS drafted_at
    FROM entitlements LEFT JOIN months ON months.key = entitlements.month
    LEFT JOIN services AS of_month ON of_month.key = months.service
    LEFT JOIN incidents ON incidents.key = entitlements.incident
    LEFT JOIN services AS of_incident ON of_incident.key = incidents.service;
CREATE VIEW outages AS
    WITH bad AS (
        SELECT service, outage, min(from_ms) AS first_bad_ms, max(from_ms) AS last_from_ms,
               sum(to_ms - from_ms) AS down_ms
        FROM spans WHERE state = 'down' GROUP BY service, outage
    ), ended AS (
        SELECT bad.*, first.seen_ms AS last_good_ms, first.reason, first.source,
               CASE last.source WHEN 'probe' THEN (SELECT from_ms FROM spans AS later
                WHERE later.service = bad.service AND later.from_ms > bad.last_from_ms
                AND later.state IN ('up', 'degraded') ORDER BY from_ms LIMIT 1)
               ELSE last.to_ms END AS first_good_ms
        FROM bad JOIN spans AS first ON first.service = bad.service AND first.from_ms = bad.first_bad_ms
        JOIN spans AS last ON last.service = bad.service AND last.from_ms = bad.last_from_ms
    )
    SELECT services.id AS service, {iso("last_good_ms")} AS last_good, {iso("first_bad_ms")} AS first_bad,
           {iso("finish.seen_ms")} AS last_bad, {iso("first_good_ms")} AS first_good,
           down_ms / 1000.0 AS seconds, ended.reason, ended.source,
           CASE WHEN first_good_ms IS NULL THEN 'open' ELSE 'over' END AS status
    FROM ended JOIN services ON services.key = ended.service
    LEFT JOIN spans AS finish ON finish.service = ended.service AND finish.from_ms = ended.first_good_ms;
CREATE VIEW corrections_in_force AS
    SELECT corrections.uid, services.id AS service, class, state, {iso("from_ms")} AS "from", {iso("to_ms")} AS "to",
           reason, author, {iso("entered_ms")} AS entered
    FROM corrections JOIN services ON services.key = corrections.service
    WHERE corrections.key NOT IN (SELECT correction FROM correction_withdrawals);
CREATE VIEW problems AS
    SELECT incidents.uid, services.id AS service, title, reference, {iso("reported_ms")} AS reported,
           (SELECT {iso("max(at_ms)")} FROM incident_events WHERE incident = incidents.key
            AND event = 'resolved') AS resolved
    FROM incidents JOIN services ON services.key = incidents.service;
"""  # noqa: S608
