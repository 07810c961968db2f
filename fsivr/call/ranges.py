"""What a number given to a verb may be; what is no number at all is out of range, too."""

from __future__ import annotations


def is_up_to(value: object, most: float) -> bool:
    """Whether it is a number above 0 and up to ``most``."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most


def is_from(value: object, least: float, most: float) -> bool:
    """Whether it is a number from ``least`` to ``most``."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def is_whole(value: object, least: int, most: int) -> bool:
    """Whether it is a whole number from ``least`` to ``most``."""
    return type(value) is int and least <= value <= most
