"""4500: conference rooms, each with a PIN for those who take part and one for the moderator."""

import hmac

from fsivr import Handler, NoMatch

#: The rooms: the PIN of those who take part, and the moderator's. A stand-in for a calendar.
ROOMS = {"100": ("1111", "9111"), "200": ("2222", "9222")}


class Meeting(Handler):
    def run(self, call):
        call.answer()
        call.play("meeting/welcome")
        for _ in range(3):
            room = call.ask("meeting/room", digits=3)
            pin = call.ask("meeting/pin", digits=4, sensitive=True)
            ordinary, moderators = ROOMS.get(room, ("    ", "    "))
            if hmac.compare_digest(pin, moderators):
                return self.join(call, room, moderator=True)
            if hmac.compare_digest(pin, ordinary):
                return self.join(call, room, moderator=False)
            call.play("meeting/wrong")
        raise NoMatch("three wrong attempts at a room")

    def join(self, call, room, *, moderator):
        stay = call.conference(f"meeting-{room}", moderator=moderator)
        call.play("meeting/removed" if stay.kicked else "meeting/goodbye")
