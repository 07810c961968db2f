"""The verbs that record."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime

from fsivr.call import keeping
from fsivr.call.asking import Asking
from fsivr.call.channel import Described
from fsivr.call.ongoing import OngoingRecording, now
from fsivr.call.ranges import check_seconds, check_terminator, check_tries
from fsivr.call.recording import CompletionCause, Recording, Take, moment
from fsivr.call.spool import Spool
from fsivr.causes import HangupCause
from fsivr.errors import Hangup, InputError, RecordingError
from fsivr.prompts import PromptLike, Tone, Uninterrupted

#: What is heard before ``call.record`` begins.
BEEP = Tone("%(200,0,1000)")

_KEYS = re.compile(r"[0-9A-D*#]*")
_LONGEST = 86400
_CONSENT = "fsivr_consent"


class Recorder(Asking):
    """A call that can be recorded."""

    _spool: Spool
    # Tuples, so that a call that is not recorded costs nothing for them.
    _takes: tuple[Take, ...] = ()
    _ongoing: tuple[OngoingRecording, ...] = ()
    _consented: datetime | None = None

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Every recording of this call so far, complete or not, the first one first."""
        over = self.over
        return tuple(take.recording(over=over) for take in self._takes if take.exists)

    @property
    def consented(self) -> datetime | None:
        """When ``consent`` was last given; None where it was not."""
        return self._consented

    def record(
        self,
        *,
        limit: float = 120.0,
        silence: float | None = 5.0,
        terminator: str = "#",
        beep: bool = True,
        threshold: int = 200,
        retention: str = "default",
    ) -> Recording:
        """The message that the caller left.

        It is returned also where the caller ended it by hanging up; the next verb
        raises ``Hangup`` then.

        :param limit: seconds it may last; the switch counts whole ones, and up to one more.
        :param silence: seconds of silence that end it, whole ones; None: silence does not.
        :param terminator: keys that end it; ``""`` for none.
        :param beep: whether a tone is played before.
        :param threshold: how loud a sound is that is not silence, of 32767.
        :param retention: the class of the setting ``retention`` that says how long it is kept.
        :raises RecordingError: the switch cannot write the file, or could not write it to its end.
        """
        most = _whole("limit", limit, _LONGEST)
        argument = f"{most}" if silence is None else f"{most} {_loud(threshold)} {_whole('silence', silence, 3600)}"
        check_terminator(terminator)
        self._spool.check_class(retention)
        take = self._take(1, most)
        kept = False
        try:
            keeping.begin(self, take, retention)
            self._spool.prove(self._session, take.path)
            if beep:
                self.play(BEEP)
            done = self._record(take, argument, terminator, most)
            if done.get("Hangup-Cause") == HangupCause.DESTINATION_OUT_OF_ORDER.name:
                self._check_written(take)
            take.end(done)
            take.measure()
            kept = True
        finally:
            keeping.let_go(self, take, wait=kept)
        return take.recording(over=self.over)

    @contextmanager
    def recording(self, *, stereo: bool = False, retention: str = "default") -> Iterator[OngoingRecording]:
        """A ``with`` block that is recorded, both sides of the call; it ends with the block, or the call.

        :param stereo: the caller on the left and the other side on the right, instead of both together.
        :param retention: the class of the setting ``retention`` that says how long it is kept.
        :raises RecordingError: the switch cannot write the file.
        """
        self._spool.check_class(retention)
        take = self._take(2 if stereo else 1, None)
        ongoing = OngoingRecording(self._session, take)
        finished = False
        try:
            keeping.begin(self, take, retention)
            take.asked = True
            ongoing.start(stereo=stereo)
            self._ongoing = (*self._ongoing, ongoing)
            try:
                yield ongoing
            finally:
                self._ongoing = tuple(each for each in self._ongoing if each is not ongoing)
                ongoing.finish()
                finished = True
        finally:
            keeping.let_go(self, take, wait=finished)

    def consent(
        self,
        *prompts: PromptLike,
        accept: str = "",
        decline: str = "",
        timeout: float = 5.0,
        tries: int = 2,
    ) -> bool:
        """Whether the caller agrees to be recorded; without ``accept``, the caller is only told, and it is true.

        The prompts are heard to their end, whatever is keyed. The moment is kept: in
        ``consented``, in each later ``Recording``, and in the channel variable ``fsivr_consent``.

        :param accept: the key that agrees.
        :param decline: the key that does not; no key, after every try, does not agree either.
        :param timeout: seconds to wait for a key after the prompts.
        :param tries: how often the prompts are played.
        """
        for name, key in (("accept", accept), ("decline", decline)):
            if (
                not isinstance(key, str)
                or len(key) > 1
                or not _KEYS.fullmatch(key)
                or (name == "decline" and key and key == accept)
            ):
                raise ValueError(f"{name} is one key, 0-9 * # A-D, and not the other one, not {str(key)[:80]!r}")
        if decline and not accept:
            raise ValueError("decline needs accept: a key to agree with")
        check_tries(tries)
        if not self._agrees(prompts, accept, decline, timeout, tries):
            return False
        self._consented = moment(now(self._session))
        self.variables[_CONSENT] = self._consented.isoformat(timespec="milliseconds")
        return True

    # -- how they work ----------------------------------------------------------------------

    def _agrees(self, prompts: Sequence[PromptLike], accept: str, decline: str, timeout: float, tries: int) -> bool:
        if not accept:
            self.play(*prompts)
            return True
        whole = [Uninterrupted(each) for each in prompts]
        keys = "|".join(map(re.escape, filter(None, (accept, decline))))
        try:
            return self.ask(*whole, digits=1, timeout=timeout, terminator="", pattern=keys, tries=tries) == accept
        except InputError:
            return False

    def _masked(self) -> AbstractContextManager[None]:
        """Keep what is keyed within out of every recording; nothing where nothing records."""
        return self._mask_each() if self._ongoing else nullcontext()

    @contextmanager
    def _mask_each(self) -> Iterator[None]:
        with ExitStack() as stack:
            for ongoing in self._ongoing:
                if ongoing.active:
                    stack.enter_context(ongoing.masked())
            yield

    def _take(self, channels: int, limit: int | None) -> Take:
        if not self._takes:
            self._session.watch("RECORD_START", lambda event: self._on_record(event, Take.begin))
            self._session.watch("RECORD_STOP", lambda event: self._on_record(event, Take.end))
        take = Take(*self._spool.new(), channels, self._consented, limit)
        self._takes = (*self._takes, take)
        return take

    def _on_record(self, event: Described, tell: Callable[[Take, Described], None]) -> None:
        path = event.get("Record-File-Path")
        for take in self._takes:
            if take.path == path:
                tell(take, event)
                keeping.on_event(self, take)

    def _record(self, take: Take, argument: str, terminator: str, limit: int) -> Described:
        session = self._session
        take.asked = True
        session.post("uuid_setvar_multi", f"{self.uuid} playback_terminators={terminator or 'none'}")
        try:
            return session.execute("record", f"{take.path} {argument}", timeout=limit + 30, outlives=True)
        except Hangup as hangup:
            take.unknown = hangup.error is not None
            raise
        finally:
            # As it was: prompts are not to be ended by keys (Line.__init__).
            session.post("uuid_setvar_multi", f"{self.uuid} playback_terminators=none", now=True)
            self._use_keys()

    def _check_written(self, take: Take) -> None:
        """The switch hung up because it could not write (FACTS 3.8, 7.13), unless the caller was first.

        :raises RecordingError: it could not.
        """
        if not take.exists:
            raise RecordingError(f"the switch could not write the recording {take.path}, and ended the call")
        if take.completion not in (CompletionCause.HANGUP, None):
            take.fail()
            raise RecordingError(f"the switch could not write the recording {take.path} to its end; is its disk full?")


def _whole(name: str, seconds: float, most: int) -> int:
    check_seconds(name, seconds, most)
    return math.ceil(seconds)


def _loud(threshold: int) -> int:
    if type(threshold) is not int or not 1 <= threshold <= 32767:
        raise ValueError(f"threshold is a whole number from 1 to 32767, not {threshold!r}")
    return threshold
