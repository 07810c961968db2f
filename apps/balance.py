"""4100: tell a customer the balance of the account they key in, and have a PIN for."""

from fsivr import Handler, HangupCause, Say

from apps import accounts


class Balance(Handler):
    def run(self, call):
        call.answer()
        call.play("bank/welcome")
        account = accounts.find(call.ask("bank/account-number", digits=6))
        if account is None:
            call.play("bank/no-such-account")
            call.hangup(HangupCause.CALL_REJECTED)
        self.check_pin(call, account)
        choice = call.menu("bank/main-menu", {"1": self.say_balance, "0": self.reach_agent})
        choice(call, account)

    def check_pin(self, call, account):
        for _ in range(3):
            if account.is_opened_by(call.ask("bank/pin", digits=4, sensitive=True)):
                return
            call.play("bank/wrong-pin")
        call.hangup(HangupCause.CALL_REJECTED)

    def say_balance(self, call, account):
        call.play("bank/your-balance-is", Say.currency(account.balance))

    def reach_agent(self, call, account):
        leg = call.bridge("user/agent", timeout=20)
        if not leg.answered:
            call.play("bank/agents-are-busy")
