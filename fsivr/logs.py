"""The log: a line, or a JSON object, for each thing worth knowing, with the call that it is about.

What a caller or a program's error says can neither begin a line of its own nor hold a
password of the settings.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, MutableMapping
from functools import partial
from typing import Any, Literal

import structlog

from fsivr.whose import call_here

#: What stands in place of a secret.
HIDDEN = "********"

# Shorter ones would be found in every line.
_SHORTEST_SECRET = 4
# All that ends a line somewhere, or does something to a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _call_of(record: logging.LogRecord) -> str:
    """The call that a line is about: what it says itself, or that of the greenlet; "" for none."""
    said = getattr(record, "call", "")
    if said:
        return str(said)
    # On the hub there is no greenlet of a call, and such lines name it first.
    if (
        isinstance(record.msg, str)
        and record.msg.startswith("call %s")
        and isinstance(record.args, tuple)
        and record.args
    ):
        return str(record.args[0])
    return call_here()


def configure(
    level: str, form: Literal["text", "json"] = "text", *, secrets: Iterable[str] = (), worker: str = ""
) -> None:
    """Log to standard error.

    :param level: the least important lines: ``debug``, ``info``, ``warning``, ``error``.
    :param form: lines of text for people, or one JSON object a line for programs.
    :param secrets: what no line may hold.
    :param worker: which of several processes that log to the same place this one is.
    """
    handler = logging.StreamHandler()
    inner = _Text(worker) if form == "text" else _json(worker)
    handler.setFormatter(_Line(inner, secrets))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)


class _Line(logging.Formatter):
    """What another formatter makes of a record that knows its call, with no secret in it."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        long_enough = {each for each in secrets if len(each) >= _SHORTEST_SECRET}
        # As JSON and a traceback's source write it, too: a quote, a backslash or an umlaut is another text there.
        spelt = {as_written for each in long_enough for as_written in _spellings(each)}
        longest_first = sorted(spelt, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def format(self, record: logging.LogRecord) -> str:
        record.call = _call_of(record)
        line = self._inner.format(record)
        return line if self._secrets is None else self._secrets.sub(HIDDEN, line)


class _Text(logging.Formatter):
    """``2026-11-24T17:03:00.123Z WARNING call UUID: message``, and the lines of a traceback indented."""

    def __init__(self, worker: str) -> None:
        named = f" worker {worker}" if worker else ""
        super().__init__(f"%(asctime)s %(levelname)s{named} %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{time.strftime(datefmt or '', time.gmtime(record.created))}.{int(record.msecs):03}Z"

    def formatMessage(self, record: logging.LogRecord) -> str:
        message, call = record.getMessage(), getattr(record, "call", "")
        if call and call not in message:
            message = f"call {call}: {message}"
        record.message = _visible(message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"  {_visible(line)}" for line in super().formatException(ei).splitlines())


def _json(worker: str) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _add_call,
            partial(_add_worker, worker),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
    )


def _add_call(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if call := getattr(event["_record"], "call", ""):
        event["call"] = call
    return event


def _add_worker(
    worker: str, _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if worker:
        event["worker"] = worker
    return event


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it is, as the source of a program has it, and each of them as JSON has it, in ASCII."""
    for text in (secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield json.dumps(text)[1:-1]


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
