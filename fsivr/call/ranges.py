"""What a number or a key given to a verb may be; what is no number at all is out of range, too."""

from __future__ import annotations

from typing import TypeGuard

from fsivr.call.keys import KEYS


def is_up_to(value: object, most: float) -> bool:
    """Whether it is a number above 0 and up to ``most``."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most


def is_from(value: object, least: float, most: float) -> bool:
    """Whether it is a number from ``least`` to ``most``."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    """Whether it is a whole number from ``least`` to ``most``."""
    return type(value) is int and least <= value <= most


def check_seconds(name: str, value: object, most: int) -> None:
    """Make sure that it is seconds above 0.

    :raises ValueError: it is not, or over ``most``.
    """
    if not is_up_to(value, most):
        raise ValueError(f"{name} is in seconds, above 0 and up to {most}, not {value!r}")


def check_tries(value: object) -> None:
    """Make sure that it is how often to try.

    :raises ValueError: it is not.
    """
    if not is_whole(value, 1, 100):
        raise ValueError(f"tries is a number from 1 to 100, not {value!r}")


def check_terminator(value: object) -> None:
    """Make sure that it is keys, or ``""`` for none.

    :raises ValueError: it is not.
    """
    if not isinstance(value, str) or (value and not KEYS.fullmatch(value)):
        raise ValueError(f"terminator holds keys 0-9 * # A-D, not {str(value)[:80]!r}")
