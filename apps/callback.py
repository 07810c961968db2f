"""4400: wait in the queue for support, or press 1 to be called back when it is one's turn."""

import re

from fsivr import Handler, InputError, Say

from apps.notebook import Notebook

QUEUE = "support"
CARRIER = "sofia/gateway/carrier"

wishes = Notebook("callback")


class Support(Handler):
    def run(self, call):
        call.answer()
        call.play("callback/welcome")
        stay = call.queue(QUEUE, exit_key="1", timeout=600)
        if stay.served:
            return
        try:
            self.take_wish(call)
        except InputError:
            call.play("callback/goodbye")

    def take_wish(self, call):
        number = call.caller
        # What the caller's side sends as a number may be anything: only a number that can be called is offered.
        if not re.fullmatch("[0-9]{4,15}", number) or not call.confirm("callback/on-this-number", Say.digits(number)):
            number = call.ask("callback/which-number", digits=(4, 15))
        wishes.add(number=number)
        call.play("callback/we-shall-call")


class CallBack(Handler):
    """The call to somebody who asked for it."""

    def run(self, call):
        if call.confirm("callback/you-asked-for-this", tries=2):
            call.queue(QUEUE, timeout=600)


def call_back(switch):
    """What came of each call to those who asked for one, as it is known; whoever is not reached stays on the list."""
    numbers = {wish["number"] for wish in wishes.entries()}
    destinations = [f"{CARRIER}/{number}" for number in sorted(numbers)]
    for dialled in switch.dial_many(destinations, CallBack, concurrency=2, per_second=1):
        if dialled.answered:
            reached = dialled.to.rpartition("/")[2]
            wishes.change(lambda all_, reached=reached: [one for one in all_ if one["number"] != reached])
        yield dialled
