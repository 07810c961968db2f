"""Mending: one recording at a time, that was left behind, is brought to its end."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from fsivr.recordings.folders import Folders, began
from fsivr.recordings.seal import is_at_rest, seal
from fsivr.recordings.sidecar import Exported, Hold, Sidecar
from fsivr.store import Recording, Row, Store, audited

log = logging.getLogger(__name__)


class Mending:
    """What both halves of a reconcile do, with one recording.

    :param done: counts what is done.
    """

    def __init__(
        self,
        folders: Folders,
        store: Store,
        *,
        node: str,
        settle: float,
        put: Callable[[Iterable[Row]], None],
        rest: Callable[[], None],
        done: Counter[str],
    ) -> None:
        self._folders = folders
        self._store = store
        self._node = node
        self._settle = settle
        self._put = put
        self._rest = rest
        self._done = done

    def _each(self, id: str, mend: Callable[[str], None]) -> None:
        """Mend one; what is wrong with it holds up no other."""
        self._rest()
        try:
            mend(id)
        except Exception as error:  # noqa: BLE001  a file's, or any database's
            log.error("recording %s is not reconciled: %s: %s", id, type(error).__name__, error)
            self._done["wrong"] += 1

    def _seal(self, ticket: Sidecar, why: str) -> Sidecar:
        sealed = seal(self._folders, replace(ticket, node=ticket.node or self._node))
        self._done[sealed.state] += 1
        action = "failed" if sealed.state == "failed" else "reconciled"
        row = audited("fsivr", f"recording.{action}", ticket.id, state=sealed.state, reason=why)
        log.warning("recording %s is %s: %s", ticket.id, sealed.state, why)
        self._put([sealed.row(), row])
        self._done["rows"] += 1
        return sealed

    def _is_waited_for(self, id: str) -> bool:
        """Whether the switch may still write it; counts it then."""
        paths = (self._folders.spooled(id), self._folders.place(id))
        if any(is_at_rest(path, self._settle) for path in paths if path.exists()):
            return False
        self._done["waiting"] += 1
        return True

    def _unknown(self, id: str) -> Sidecar:
        """What is known of a recording of which nothing but its name is."""
        return Sidecar(id=id, call="", started=began(id), state="recording", node=self._node)


def of_row(row: Recording, node: str) -> Sidecar:
    """What a row tells of a recording whose sidecar is lost."""
    held = None if row.held is None else Hold(row.hold_reason or "unknown", row.hold_by or "unknown", row.held)
    exported = None if row.exported is None else Exported(row.exported, row.export or "unknown")
    return Sidecar(
        id=row.id,
        call=row.call,
        leg=row.leg,
        handler=row.handler,
        caller=row.caller,
        dialled=row.dialled,
        started=row.started,
        stopped=row.stopped,
        duration=row.seconds,
        channels=row.channels,
        state=row.state,
        sha256=row.sha256,
        mask_spans=tuple((since, math.inf if until is None else until) for since, until in json.loads(row.mask_spans)),
        consent=datetime.fromisoformat(row.consent) if row.consent else None,
        completion=row.completion,
        hangup_cause=row.hangup_cause,
        node=node,
        retention=row.retention or "default",
        hold=held,
        exported=exported,
    )
