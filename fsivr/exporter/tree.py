"""keys_below: the files of a tree of folders, in the order of their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from fsivr.errors import PermanentError
from fsivr.exporter.target import Entry, checked_key

# A server that answers without an end is left at some point.
_DEEPEST = 32
_MOST = 1_000_000


class Found(NamedTuple):
    """A name in a folder of a server, and what it is of."""

    name: str
    is_folder: bool
    is_file: bool
    size: int


def keys_below(listed: Callable[[str], Iterator[Found]], prefix: str) -> Iterator[Entry]:
    """The files whose keys begin so, in the order of their keys; names that no key has are passed over.

    :param listed: what is in a folder, given by its key (``""`` for the first); nothing for one that is not there.
    :raises PermanentError: the prefix is none of a key; folders are in each other, or names in one, without an end.
    """
    folder = prefix.rpartition("/")[0]
    if folder:
        checked_key(folder)
    return _below(listed, folder, prefix, 0)


def _below(listed: Callable[[str], Iterator[Found]], folder: str, prefix: str, depth: int) -> Iterator[Entry]:
    if depth > _DEEPEST:
        raise PermanentError(f"folders are more than {_DEEPEST} deep below {folder[:80]}…: it cannot be listed")
    above = f"{folder}/" if folder else ""
    found: list[Found] = []
    for one in listed(folder):
        if _is_name(one.name) and (one.is_folder or one.is_file) and _fits(above + one.name, one.is_folder, prefix):
            found.append(one)
            if len(found) > _MOST:
                raise PermanentError(f"{folder or 'the folder'} has more than {_MOST} names: it cannot be listed")
    # With the slash that follows it in keys: "a-b" comes before "a/b".
    for one in sorted(found, key=lambda one: one.name + "/" * one.is_folder):
        if one.is_folder:
            yield from _below(listed, above + one.name, prefix, depth + 1)
        else:
            yield Entry(above + one.name, one.size)


def _fits(key: str, is_folder: bool, prefix: str) -> bool:
    return key.startswith(prefix) or (is_folder and prefix.startswith(key + "/"))


def _is_name(name: str) -> bool:
    if "/" in name:
        return False
    try:
        return bool(checked_key(name))
    except PermanentError:
        return False
