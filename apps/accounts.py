"""The accounts that the balance line knows: a stand-in for a bank's own system."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Account:
    """One customer's account."""

    number: str
    balance: Decimal
    pin: str = field(repr=False)

    def is_opened_by(self, pin: str) -> bool:
        """Whether it is the right PIN; how long it takes to tell says nothing of it."""
        return hmac.compare_digest(self.pin, pin)


_ACCOUNTS = {
    account.number: account
    for account in (
        Account("123456", Decimal("4200.00"), "1234"),
        Account("271828", Decimal("18.28"), "5678"),
        Account("314159", Decimal("-26.50"), "9012"),
    )
}


def find(number: str) -> Account | None:
    """The account with this number, or ``None``."""
    return _ACCOUNTS.get(number)
