"""The accounts that the balance line knows: a stand-in for a bank's own system."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Account:
    """One customer's account."""

    number: str
    balance: Decimal


_ACCOUNTS = {
    account.number: account
    for account in (
        Account("123456", Decimal("4200.00")),
        Account("271828", Decimal("18.28")),
        Account("314159", Decimal("-26.50")),
    )
}


def find(number: str) -> Account | None:
    """The account with this number, or ``None``."""
    return _ACCOUNTS.get(number)
