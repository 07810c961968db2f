"""The statements that make the tables and their indices, for both databases.

``{number}`` stands for a key that the database counts up. What is text is never null,
so that a filter needs no case for it. A list is newest first, by ``started`` and then the
key, and so every index for one ends in those two.
"""

from __future__ import annotations

_CALLS = """
CREATE TABLE calls (
    id {number},
    uuid TEXT NOT NULL UNIQUE,
    handler TEXT NOT NULL,
    caller TEXT NOT NULL,
    dialled TEXT NOT NULL,
    context TEXT NOT NULL,
    direction TEXT NOT NULL,
    started BIGINT NOT NULL,
    answered BIGINT,
    ended BIGINT,
    hangup_cause TEXT NOT NULL,
    node TEXT NOT NULL,
    worker TEXT NOT NULL,
    error TEXT NOT NULL,
    timeline TEXT NOT NULL
)"""

_RECORDINGS = """
CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    call TEXT NOT NULL,
    leg TEXT NOT NULL,
    handler TEXT NOT NULL,
    caller TEXT NOT NULL,
    dialled TEXT NOT NULL,
    path TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('recording', 'sealed', 'degraded', 'failed', 'exported', 'purged')),
    started BIGINT NOT NULL,
    stopped BIGINT,
    seconds DOUBLE PRECISION,
    channels INTEGER,
    codec TEXT NOT NULL,
    rate INTEGER,
    bytes BIGINT,
    sha256 TEXT NOT NULL,
    completion TEXT NOT NULL,
    hangup_cause TEXT NOT NULL,
    consent TEXT NOT NULL,
    mask_spans TEXT NOT NULL,
    node TEXT NOT NULL,
    retention TEXT NOT NULL,
    hold_reason TEXT,
    hold_by TEXT,
    held BIGINT,
    verified BIGINT,
    exported BIGINT,
    export TEXT
)"""

_EXPORTS = """
CREATE TABLE exports (
    id TEXT PRIMARY KEY,
    started BIGINT NOT NULL,
    ended BIGINT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    target TEXT NOT NULL,
    recordings INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    failed INTEGER NOT NULL,
    error TEXT NOT NULL,
    node TEXT NOT NULL
)"""

_API_KEYS = """
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('read', 'operate', 'admin')),
    hash TEXT NOT NULL,
    created BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    revoked BIGINT
)"""

_AUDIT = """
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
)"""

TABLES = (_CALLS, _RECORDINGS, _EXPORTS, _API_KEYS, _AUDIT)

WORKERS = (
    """
CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    worker TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    listen TEXT NOT NULL,
    started BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    ended BIGINT,
    ports_in_use INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    peak INTEGER NOT NULL,
    calls BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    abandoned BIGINT NOT NULL,
    draining INTEGER NOT NULL,
    rows_waiting BIGINT NOT NULL,
    rows_dropped BIGINT NOT NULL
)""",
)

INDICES = (
    "CREATE INDEX calls_started ON calls (started, id)",
    # Live calls are few beside those that ended.
    "CREATE INDEX calls_live ON calls (started, id) WHERE ended IS NULL",
    # A caller has few calls, but for the one who hides the number: what else is asked is found in the index.
    "CREATE INDEX calls_caller ON calls (caller, started, id, handler, dialled, hangup_cause)",
    "CREATE INDEX calls_dialled ON calls (dialled, started, id)",
    "CREATE INDEX calls_handler ON calls (handler, started, id)",
    "CREATE INDEX calls_cause ON calls (hangup_cause, started, id)",
    # Few values each, so that none alone narrows it down.
    "CREATE INDEX calls_dialled_cause ON calls (dialled, hangup_cause, started, id)",
    "CREATE INDEX calls_handler_cause ON calls (handler, hangup_cause, started, id)",
    "CREATE INDEX calls_dialled_handler ON calls (dialled, handler, started, id)",
    "CREATE INDEX calls_dialled_handler_cause ON calls (dialled, handler, hangup_cause, started, id)",
    "CREATE INDEX recordings_started ON recordings (started, id)",
    "CREATE INDEX recordings_state ON recordings (state, started, id)",
    # The totals of the states are told from this one alone, which is small.
    "CREATE INDEX recordings_bytes ON recordings (state, bytes)",
    "CREATE INDEX recordings_call ON recordings (call, started, id)",
    "CREATE INDEX recordings_handler ON recordings (handler, started, id)",
    "CREATE INDEX recordings_handler_state ON recordings (handler, state, started, id)",
    "CREATE INDEX recordings_held ON recordings (started, id, state, handler) WHERE held IS NOT NULL",
    # With the bytes, what a node's recordings take, and took lately, is told from the indices alone.
    "CREATE INDEX recordings_node ON recordings (node, started, id, bytes)",
    "CREATE INDEX recordings_node_bytes ON recordings (node, state, bytes, started)",
    "CREATE INDEX exports_started ON exports (started, id)",
    "CREATE INDEX exports_state ON exports (state, started, id)",
    "CREATE INDEX api_keys_created ON api_keys (created, id)",
    "CREATE INDEX audit_at ON audit (at, id)",
    "CREATE INDEX audit_who ON audit (who, at, id)",
    "CREATE INDEX audit_who_action ON audit (who, action, at, id)",
    "CREATE INDEX audit_action ON audit (action, at, id)",
    "CREATE INDEX audit_subject ON audit (subject, at, id)",
)

_EXPORTS_2 = """
CREATE TABLE exports_2 (
    id TEXT PRIMARY KEY,
    started BIGINT NOT NULL,
    ended BIGINT,
    state TEXT NOT NULL
        CHECK (state IN ('running', 'done', 'partial', 'failed', 'interrupted')),
    target TEXT NOT NULL,
    recordings INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    failed INTEGER NOT NULL,
    error TEXT NOT NULL,
    node TEXT NOT NULL,
    report TEXT NOT NULL
)"""

_CLAIMS = """
CREATE TABLE claims (
    recording TEXT NOT NULL,
    target TEXT NOT NULL,
    node TEXT NOT NULL,
    run TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (recording, target)
)"""

_EXPORT_COLUMNS = "id, started, ended, state, target, recordings, bytes, failed, error, node"

#: What an export needs to be told of and shared. SQLite cannot change a check: the table is made anew.
EXPORTING = (
    "ALTER TABLE recordings ADD COLUMN arrivals TEXT NOT NULL DEFAULT '{}'",
    _EXPORTS_2,
    f"INSERT INTO exports_2 ({_EXPORT_COLUMNS}, report) SELECT {_EXPORT_COLUMNS}, '{{}}' FROM exports",
    "DROP TABLE exports",
    "ALTER TABLE exports_2 RENAME TO exports",
    "CREATE INDEX exports_started ON exports (started, id)",
    "CREATE INDEX exports_state ON exports (state, started, id)",
    "CREATE INDEX exports_target ON exports (target, started, id)",
    _CLAIMS,
    "CREATE INDEX claims_node ON claims (target, node)",
)

#: What the metrics need; workers of an older program go on writing their rows without it.
COUNTING = ("ALTER TABLE workers ADD COLUMN counters TEXT NOT NULL DEFAULT '{}'",)
