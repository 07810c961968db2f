"""What happened, kept: calls, recordings, exports, keys and audit in SQLite or PostgreSQL."""

from fsivr.store.gone import is_gone
from fsivr.store.journal import Journal
from fsivr.store.keys import Keys, Role
from fsivr.store.models import ApiKey, Audit, Call, Export, Recording, Worker
from fsivr.store.pages import Cursor, Page
from fsivr.store.rows import Row, audited, call_began, call_ended, exported, recorded
from fsivr.store.store import Store

__all__ = [
    "ApiKey",
    "Audit",
    "Call",
    "Cursor",
    "Export",
    "Journal",
    "Keys",
    "Page",
    "Recording",
    "Role",
    "Row",
    "Store",
    "Worker",
    "audited",
    "call_began",
    "call_ended",
    "exported",
    "is_gone",
    "recorded",
]
