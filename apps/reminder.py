"""Calls people before their appointment: press 1 to confirm it, 2 for another day."""

from datetime import datetime

from fsivr import Dial, Handler, InputError, Say

from apps.notebook import Notebook

#: Entries of ``id``, ``number``, ``at`` (ISO 8601) and ``state``: due, confirmed, moved, reached.
appointments = Notebook("appointments")

CARRIER = "sofia/gateway/carrier"


class Reminder(Handler):
    def run(self, call):
        appointment = call.variables["appointment"]
        call.play("reminder/you-have-an-appointment", Say.date_time(datetime.fromisoformat(call.variables["at"])))
        try:
            choice = call.menu("reminder/menu", {"1": "confirmed", "2": "moved"}, tries=2)
        except InputError:
            choice = "reached"
        note(appointment, choice)
        call.play(f"reminder/{choice}")


def note(appointment, state):
    """Write down what became of an appointment."""
    appointments.change(lambda all_: [{**one, "state": state} if one["id"] == appointment else one for one in all_])


def remind(switch):
    """What came of each call to those who are due, as it is known; whoever is not reached stays due."""
    yield from switch.dial_many(_due(), Reminder, concurrency=3, per_second=1, timeout=30)


def _due():
    for one in appointments.entries():
        if one["state"] == "due":
            yield Dial(to=f"{CARRIER}/{one['number']}", variables={"appointment": one["id"], "at": one["at"]})
