"""4301 to 4399: leave a message in the box of that number. 4300: hear what was left in one's own box."""

import hmac
from datetime import datetime

from fsivr import CompletionCause, Handler, HangupCause, InputError, NoMatch, PromptError, RecordingError, Say

from apps.notebook import Notebook

#: The boxes and their PINs: a stand-in for a directory.
PINS = {"4301": "1133", "4302": "2244"}

#: So many seconds of it end a message.
SILENCE = 5

messages = Notebook("voicemail")


class LeaveMessage(Handler):
    def run(self, call):
        call.answer()
        if call.destination not in PINS:
            call.play("voicemail/no-such-box")
            call.hangup(HangupCause.UNALLOCATED_NUMBER)
        call.play("voicemail/leave-a-message")
        try:
            # A caller who hangs up when all is said has left a message like any other.
            message = call.record(limit=120, silence=SILENCE, terminator="#")
        except RecordingError:
            call.play("voicemail/no-message-now")
            return
        said = message.duration - (SILENCE if message.completion is CompletionCause.SILENCE else 0)
        if said >= 1:
            self.keep(call, message)
        call.play("voicemail/thank-you")

    def keep(self, call, message):
        left = message.started.isoformat()
        messages.add(box=call.destination, path=message.path, left=left, by=call.caller, heard=False)


class Mailbox(Handler):
    def run(self, call):
        call.answer()
        box = self.log_in(call)
        waiting = [one for one in messages.entries() if one["box"] == box]
        new = sum(not one["heard"] for one in waiting)
        call.play("voicemail/you-have", Say.number(new), "voicemail/new-messages")
        for message in sorted(waiting, key=lambda one: one["heard"]):
            self.play(call, message)
        call.play("voicemail/no-more-messages")

    def log_in(self, call):
        for _ in range(3):
            box = call.ask("voicemail/box", digits=4)
            pin = call.ask("voicemail/pin", digits=4, sensitive=True)
            # Compared in the same time whether there is such a box or not.
            if hmac.compare_digest(pin, PINS.get(box, "    ")):
                return box
            call.play("voicemail/wrong")
        raise NoMatch("three wrong attempts at a box")

    def play(self, call, message):
        call.play("voicemail/received", Say.date_time(datetime.fromisoformat(message["left"])))
        try:
            call.play(message["path"])
        except PromptError:
            # The setting `retention` says how long a message is kept; this one's sound is gone.
            return
        self.note(message, heard=True)
        while True:
            try:
                choice = call.menu("voicemail/message-menu", {"1": "again", "2": "next", "7": "delete"})
            except InputError:
                return
            if choice == "again":
                call.play(message["path"])
                continue
            if choice == "delete":
                messages.change(lambda all_: [one for one in all_ if one["path"] != message["path"]])
                call.play("voicemail/deleted")
            return

    def note(self, message, **news):
        messages.change(lambda all_: [{**one, **news} if one["path"] == message["path"] else one for one in all_])
