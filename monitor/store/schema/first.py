"""The first schema: what the agent saw, what was imported, months and entitlements."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.store.schema.statements import iso, keep, run

_FACTS = ("changes", "check_changes", "evidence", "blips", "clock_steps", "imports", "imported_spans")
_LEDGER = ("exclusions", "withdrawals", "months", "entitlements", "entitlement_events")

_TABLES = """
CREATE TABLE runs (              -- the agent's lives; coverage of a run reaches to its heartbeat
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    vantage TEXT NOT NULL,
    version TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    stopped_ms INTEGER           -- null: still running, or died
);
CREATE TABLE services (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
);
CREATE TABLE checks (
    key INTEGER PRIMARY KEY,
    service INTEGER NOT NULL REFERENCES services,
    name TEXT NOT NULL,
    UNIQUE (service, name)
);
CREATE TABLE pending (           -- answers that no state accounts for yet; on a crash the time since is unknown
    "check" INTEGER PRIMARY KEY REFERENCES checks,
    since_ms INTEGER NOT NULL
);
CREATE TABLE check_changes (
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    "check" INTEGER NOT NULL REFERENCES checks,
    at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
    seen_ms INTEGER,             -- the last instant before at which it was seen otherwise
    reason TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL
);
CREATE INDEX check_changes_by_check ON check_changes ("check", at_ms);
CREATE TABLE evidence (          -- the probes around a change
    key INTEGER PRIMARY KEY,
    check_change INTEGER NOT NULL REFERENCES check_changes,
    sent_ms INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    round_trip_us INTEGER,
    detail TEXT                  -- JSON
);
CREATE INDEX evidence_by_change ON evidence (check_change);
CREATE TABLE changes (           -- of services; of two at one instant the later recorded one holds
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    service INTEGER NOT NULL REFERENCES services,
    at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
    seen_ms INTEGER,
    "check" INTEGER REFERENCES checks,  -- the one that decided it; null: the agent itself
    reason TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL
);
CREATE INDEX changes_by_service ON changes (service, at_ms);
CREATE TABLE blips (             -- failures that were not confirmed
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    service INTEGER NOT NULL REFERENCES services,
    "check" INTEGER NOT NULL REFERENCES checks,
    last_good_ms INTEGER,
    first_bad_ms INTEGER NOT NULL,
    last_bad_ms INTEGER NOT NULL,
    first_good_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX blips_by_service ON blips (service, first_bad_ms);
CREATE TABLE clock_steps (       -- the host's clock jumped; negative: back
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    at_ms INTEGER NOT NULL,
    step_ms INTEGER NOT NULL
);
CREATE TABLE imports (
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    imported_ms INTEGER NOT NULL
);
CREATE TABLE imported_spans (
    key INTEGER PRIMARY KEY,
    import INTEGER NOT NULL REFERENCES imports,
    service INTEGER NOT NULL REFERENCES services,
    state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms),
    UNIQUE (service, from_ms)
);
CREATE TABLE exclusions (
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('service', 'tag', 'all')),
    subject TEXT NOT NULL,       -- the service's id or the tag; '' for all
    class TEXT NOT NULL CHECK (class IN ('maintenance', 'force_majeure', 'third_party', 'customer')),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms),
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
CREATE TABLE withdrawals (
    exclusion INTEGER PRIMARY KEY REFERENCES exclusions,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_ms INTEGER NOT NULL
);
CREATE TABLE months (            -- frozen; a correction adds a revision
    key INTEGER PRIMARY KEY,
    service INTEGER NOT NULL REFERENCES services,
    month TEXT NOT NULL,
    revision INTEGER NOT NULL,
    frozen_ms INTEGER NOT NULL,
    figures TEXT NOT NULL,       -- JSON, as `ringback report --json` prints it
    terms TEXT NOT NULL,         -- JSON: plan, fee and rules in force
    outages TEXT NOT NULL,       -- JSON: the outages with their instants
    exclusions TEXT NOT NULL,    -- JSON: the exclusions that counted
    reason TEXT NOT NULL,
    difference TEXT NOT NULL,    -- JSON: what changed against the revision before
    UNIQUE (service, month, revision)
);
CREATE TABLE entitlements (
    key INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    month INTEGER NOT NULL UNIQUE REFERENCES months,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    calculation TEXT NOT NULL,   -- JSON: [[what, how, result], ...]
    drafted_ms INTEGER NOT NULL
);
CREATE TABLE entitlement_events (
    key INTEGER PRIMARY KEY,
    entitlement INTEGER NOT NULL REFERENCES entitlements,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX entitlement_events_by_entitlement ON entitlement_events (entitlement);
CREATE TABLE spans (             -- derived
    service INTEGER NOT NULL REFERENCES services,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,               -- null: goes on; known up to the heartbeat of the run
    state TEXT NOT NULL,
    seen_ms INTEGER,
    outage INTEGER,              -- first_bad of the outage that this stretch of down belongs to
    reason TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('probe', 'import')),
    PRIMARY KEY (service, from_ms)
) WITHOUT ROWID;
CREATE INDEX spans_not_up ON spans (service, from_ms, to_ms, state, outage) WHERE state <> 'up';
"""


_VIEWS = f"""
CREATE VIEW service_states AS
    SELECT services.id AS service, state, {iso("from_ms")} AS "from", {iso("to_ms")} AS "to",
           (to_ms - from_ms) / 1000.0 AS seconds, reason, source
    FROM spans JOIN services ON services.key = spans.service;
CREATE VIEW outages AS
    WITH bad AS (
        SELECT service, outage, min(from_ms) AS first_bad_ms, max(from_ms) AS last_from_ms,
               sum(to_ms - from_ms) AS down_ms, source
        FROM spans WHERE state = 'down' GROUP BY service, outage
    ), ended AS (
        SELECT bad.*, start.seen_ms AS last_good_ms, start.reason,
               (SELECT from_ms FROM spans AS later WHERE later.service = bad.service
                AND later.from_ms > bad.last_from_ms AND later.state IN ('up', 'degraded')
                ORDER BY from_ms LIMIT 1) AS first_good_ms
        FROM bad JOIN spans AS start ON start.service = bad.service AND start.from_ms = bad.first_bad_ms
    )
    SELECT services.id AS service, {iso("last_good_ms")} AS last_good, {iso("first_bad_ms")} AS first_bad,
           {iso("finish.seen_ms")} AS last_bad, {iso("first_good_ms")} AS first_good,
           down_ms / 1000.0 AS seconds, ended.reason, ended.source,
           CASE WHEN first_good_ms IS NULL AND ended.source = 'probe' THEN 'open' ELSE 'over' END AS status
    FROM ended JOIN services ON services.key = ended.service
    LEFT JOIN spans AS finish ON finish.service = ended.service AND finish.from_ms = ended.first_good_ms;
CREATE VIEW agent_runs AS
    SELECT vantage, version, {iso("started_ms")} AS started, {iso("heartbeat_ms")} AS covered_to,
           {iso("stopped_ms")} AS stopped
    FROM runs;
CREATE VIEW exclusions_in_force AS
    SELECT uid, scope, subject, class, {iso("from_ms")} AS "from", {iso("to_ms")} AS "to", reason, author
    FROM exclusions WHERE key NOT IN (SELECT exclusion FROM withdrawals);
CREATE VIEW frozen_months AS
    SELECT services.id AS service, month, revision, {iso("frozen_ms")} AS frozen_at,
           json_extract(figures, '$.availability') AS availability, json_extract(figures, '$.guarantee') AS guarantee,
           json_extract(figures, '$.breach') AS breach, json_extract(figures, '$.down_ms') / 1000.0 AS down_seconds,
           json_extract(figures, '$.coverage') AS coverage, reason, difference
    FROM months JOIN services ON services.key = months.service;
CREATE VIEW credits AS
    SELECT entitlements.uid, services.id AS service, months.month, revision, amount, currency,
           (SELECT state FROM entitlement_events WHERE entitlement = entitlements.key
            ORDER BY key DESC LIMIT 1) AS state, {iso("drafted_ms")} AS drafted_at
    FROM entitlements JOIN months ON months.key = entitlements.month
    JOIN services ON services.key = months.service;
CREATE VIEW probes_around_changes AS
    SELECT services.id AS service, checks.name AS "check", {iso("at_ms")} AS changed_at, state AS changed_to,
           {iso("sent_ms")} AS probe_sent, verdict, evidence.reason, round_trip_us, detail
    FROM evidence JOIN check_changes ON check_changes.key = evidence.check_change
    JOIN checks ON checks.key = check_changes."check" JOIN services ON services.key = checks.service;
"""  # noqa: S608


def first_schema(db: Database) -> None:
    run(db.conn, _TABLES)
    run(db.conn, _VIEWS)
    keep(db.conn, _FACTS + _LEDGER)
