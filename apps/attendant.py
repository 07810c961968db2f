"""5000: the front door of a company: sales, support with a menu of its own, or a person."""

from fsivr import Handler, HangupCause, InputError

SALES = "user/sales"
ORDERS = "user/orders"
REPAIRS = "user/repairs"
OPERATOR = "user/operator"


class Attendant(Handler):
    def run(self, call):
        call.answer()
        call.play("attendant/welcome")
        try:
            department = self.choose(call)
        except InputError:
            # A caller who keys nothing, or nothing we know, is better off with a person.
            department = OPERATOR
        self.connect(call, department)

    def choose(self, call):
        while True:
            choice = call.menu("attendant/main-menu", {"1": SALES, "2": self.choose_support, "0": OPERATOR})
            department = choice(call) if callable(choice) else choice
            if department is not None:
                return department

    def choose_support(self, call):
        return call.menu("attendant/support-menu", {"1": ORDERS, "2": REPAIRS, "9": None})

    def connect(self, call, department):
        call.play("attendant/connecting")
        leg = call.bridge(department, timeout=20)
        if leg.answered:
            return
        if leg.hangup_cause is HangupCause.USER_BUSY:
            call.play("attendant/busy")
        else:
            call.play("attendant/no-answer")
        if department == OPERATOR:
            call.play("attendant/call-again")
        else:
            self.connect(call, OPERATOR)
