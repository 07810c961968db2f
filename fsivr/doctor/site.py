"""Site: what is examined. This machine, the settings, the switch and the database they name."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree import ElementTree

import gevent
from gevent.lock import RLock

from fsivr.config import Settings, parse_address
from fsivr.doctor.finding import NotLookedAt
from fsivr.errors import CommandRefused, ESLError

if TYPE_CHECKING:
    from fsivr.switch import Switch

T = TypeVar("T")
# Bytes of a text of the system's, and of one read: for /proc/sys the kernel makes room for as much as is asked for.
_MOST, _PIECE = 4 << 20, 4096


class Site:
    """What is examined; whatever cannot be had raises ``NotLookedAt``.

    :param settings: None where they are wrong.
    :param wrong: what is wrong with them; "" for nothing.
    :param file: the settings file; None where there is none.
    :param ports: instead of the setting ``ports``.
    :param dialplan_file: the switch's dialplan, as ``fsivr dialplan`` makes it; None for none.
    :param prompts: gives the names of the prompts that handlers play, each with where.
    :param root: where the system's own texts are.
    """

    def __init__(
        self,
        settings: Settings | None,
        *,
        wrong: str = "",
        file: Path | None = None,
        ports: int | None = None,
        dialplan_file: str | None = None,
        prompts: Callable[[Settings], Mapping[str, str]] = lambda settings: {},
        root: str | os.PathLike[str] = "/",
    ) -> None:
        self.wrong = wrong
        self.file = file
        self.dialplan_file = dialplan_file
        self.root = Path(root)
        self._settings = settings
        self._ports = ports
        self._prompts = prompts
        self._xml: dict[str, ElementTree.Element] = {}
        self._asking = RLock()

    # -- settings ---------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        if self._settings is None:
            raise NotLookedAt("the settings are wrong: see settings.valid")
        return self._settings

    @property
    def ports(self) -> int:
        """How many calls there may be at once."""
        return self._ports or self.settings.ports

    @property
    def secrets(self) -> frozenset[str]:
        """What no finding may hold."""
        return frozenset() if self._settings is None else self._settings.secret_values

    @cached_property
    def prompts(self) -> Mapping[str, str]:
        """The prompts that handlers play, each with where it is played.

        :raises ConfigError: the dialplan cannot be loaded.
        """
        return self._prompts(self.settings)

    # -- this machine -----------------------------------------------------------------------

    def text(self, path: str) -> str:
        """A text of the system's, as ``/proc/meminfo``."""
        try:
            with (self.root / path.lstrip("/")).open("rb", buffering=0) as file:
                return _whole(file)
        except OSError as error:
            raise NotLookedAt(f"{path} cannot be read: {error.strerror}") from None

    def number(self, path: str) -> int:
        """A text of the system's that begins with a number, as ``/proc/sys/kernel/pid_max``."""
        words = self.text(path).split()
        if not words or not words[0].isdecimal():
            raise NotLookedAt(f"{path} does not hold a number")
        return int(words[0])

    def on_disk(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function gives that waits for a disk: it hangs alone where that is a share that is gone."""

        def look() -> T | Exception:
            try:
                return function(*arguments)
            except Exception as error:  # which the thread would print
                return error

        found = gevent.get_hub().threadpool.apply(look)
        if isinstance(found, Exception):
            raise found
        return found

    # -- the switch -------------------------------------------------------------------------

    @cached_property
    def switch(self) -> Switch:
        """The switch, which is connected when it is first asked."""
        from fsivr.switch import Switch

        return Switch.of(self.settings)

    @property
    def switch_is_here(self) -> bool:
        """Whether the switch runs on this machine, by the address that it has in the settings."""
        host, _ = parse_address(self.settings.switch_address)
        if host == "localhost" or host == socket.gethostname():
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def ask(self, command: str, argument: str = "") -> str:
        """What an API command of the switch printed, without the line breaks around it."""
        try:
            return self.switch.api(command, argument).strip()
        except CommandRefused as error:
            raise NotLookedAt(str(error)) from None
        except ESLError:
            raise NotLookedAt("the switch cannot be asked: see switch.reachable") from None

    def configuration(self, name: str) -> ElementTree.Element:
        """A file of the switch's configuration as the switch understood it, as ``switch.conf``.

        It is what ``xml_locate`` prints (mod_commands.c), and may hold passwords.
        """
        with self._asking:  # several checks want the same one
            if name not in self._xml:
                self._xml[name] = self.located(f"configuration configuration name {name}")
            return self._xml[name]

    def located(self, what: str) -> ElementTree.Element:
        """A part of the switch's XML."""
        printed = self.ask("xml_locate", what)
        try:
            return ElementTree.fromstring(printed)
        except ElementTree.ParseError:
            # What it printed is not told: it may be a file with passwords.
            raise NotLookedAt(f"the switch does not tell its XML of {what.rpartition(' ')[2]}") from None

    def close(self) -> None:
        """Let go of the switch."""
        if "switch" in self.__dict__:
            self.switch.close()


def _whole(file: RawIOBase) -> str:
    data = b""
    while len(data) < _MOST and (piece := file.read(_PIECE)):
        data += piece
    return data.decode(errors="replace")


def parameters(element: ElementTree.Element) -> dict[str, str]:
    """The ``<param>`` of a part of the switch's XML that are directly in it, or in its ``<settings>``.

    Access lists, of which there may be several, are parted by blanks.
    """
    found: dict[str, str] = {}
    for each in [*element.findall("param"), *element.findall("settings/param")]:
        name, value = each.get("name", ""), each.get("value", "")
        found[name] = f"{found[name]} {value}" if name == "apply-inbound-acl" and name in found else value
    return found


def profiles(site: Site) -> Iterator[tuple[str, dict[str, str]]]:
    """The SIP profiles of the switch: the name and the parameters of each."""
    for profile in site.configuration("sofia.conf").iter("profile"):
        yield profile.get("name", "?"), parameters(profile)


def true(text: str | None) -> bool:
    """Whether a parameter says yes, as the switch reads it (switch_utils.h, switch_true)."""
    return (text or "").strip().lower() in ("true", "yes", "on", "enable", "enabled", "active", "allow", "1", "t", "y")
