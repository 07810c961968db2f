"""Exporting: the runs that the settings ask for, one for each target, at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from fsivr.config import Settings
from fsivr.errors import ConfigError, FsivrError
from fsivr.exporter.plan import Choice
from fsivr.exporter.report import Report
from fsivr.exporter.run import Order, Run
from fsivr.exporter.targets import Recipe, recipes
from fsivr.exporter.webhook import tell
from fsivr.exporter.window import end_of_window
from fsivr.recordings import Archive


class Ended(NamedTuple):
    """How a run ended: by its report, and by the error that kept it from having a true one; None for none."""

    report: Report
    error: FsivrError | None


def chosen(settings: Settings, names: Iterable[str] = ()) -> dict[str, Recipe]:
    """The targets of these names, all of the settings where there are none.

    :raises ConfigError: a target is wrong, there is none of a name, or there is none at all.
    """
    found = recipes(
        settings.targets, bandwidth=settings.export_bandwidth, allow_plaintext_ftp=settings.allow_plaintext_ftp
    )
    if not found:
        raise ConfigError("there is no target to export to: give one as [targets.NAME] (docs/export.md)")
    wanted = tuple(dict.fromkeys(names)) or tuple(found)
    for name in wanted:
        if name not in found:
            raise ConfigError(f"there is no target {name[:80]!r}: there are {', '.join(found)}")
    return {name: found[name] for name in wanted}


def runs(
    settings: Settings,
    archive: Archive,
    names: Iterable[str] = (),
    choice: Choice | None = None,
    *,
    ids: Mapping[str, str] | None = None,
) -> list[Run]:
    """A run for each of these targets, not begun.

    :param ids: the runs' ids by their targets' names; a target that is not there gets a new one.
    :raises ConfigError: as of ``chosen``.
    """
    order = Order(
        targets=frozenset(settings.targets),
        template=settings.export_key,
        concurrency=settings.export_concurrency,
        deadline=end_of_window(settings.export_until, datetime.now(UTC)),
        choice=choice or Choice(),
    )
    uploads = archive.folders.spool / ".exports" / "uploads"
    return [
        Run(name, recipe.keeping(uploads), archive=archive, order=order, id=(ids or {}).get(name))
        for name, recipe in chosen(settings, names).items()
    ]


class Exporting:
    """Runs that go on at the same time; a target that is slow holds up no other.

    :param settings: those of the webhook.
    """

    def __init__(self, settings: Settings, runs: Sequence[Run]) -> None:
        self._settings = settings
        self._runs = runs
        #: How those that are over ended.
        self.ended: list[Ended] = []
        self._threads = [
            threading.Thread(target=self._run, args=(run,), name=f"fsivr-export {run.report.target}", daemon=True)
            for run in runs
        ]

    def start(self) -> None:
        """Begin them."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Whether all are over, at once or within so many seconds each."""
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Have all end in order."""
        for run in self._runs:
            run.stop()

    def _run(self, run: Run) -> None:
        try:
            self._tell(run.run())
            self.ended.append(Ended(run.report, None))
        except FsivrError as error:
            self.ended.append(Ended(run.report, error))
        except Exception as error:
            said = FsivrError(f"unexpected {type(error).__name__}: {error}")
            self.ended.append(Ended(run.report, said))

    def _tell(self, report: Report) -> None:
        if self._settings.export_webhook:
            wrong = tell(self._settings.export_webhook, report.document(), secret=self._settings.export_webhook_secret)
            if wrong:
                report.warn(wrong)
