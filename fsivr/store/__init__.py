"""What happened, kept: calls, recordings, exports, keys and audit in SQLite or PostgreSQL."""

from peewee import PeeweeException as DatabaseFailed

from fsivr.store.claims import Claims
from fsivr.store.filling import days_left
from fsivr.store.gone import first_line, is_gone
from fsivr.store.journal import Journal
from fsivr.store.keys import Keys, Role
from fsivr.store.models import ApiKey, Audit, Call, Export, Recording, Worker
from fsivr.store.pages import Cursor, Page
from fsivr.store.rows import Row, audited, call_began, call_ended, exported, recorded
from fsivr.store.store import Store
from fsivr.store.waiting import Waiting, arrived, running, waiting

__all__ = [
    "ApiKey",
    "Audit",
    "Call",
    "Claims",
    "Cursor",
    "DatabaseFailed",
    "Export",
    "Journal",
    "Keys",
    "Page",
    "Recording",
    "Role",
    "Row",
    "Store",
    "Waiting",
    "Worker",
    "arrived",
    "audited",
    "call_began",
    "call_ended",
    "days_left",
    "exported",
    "first_line",
    "is_gone",
    "recorded",
    "running",
    "waiting",
]
