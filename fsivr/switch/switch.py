"""Switch: FreeSWITCH as seen over its own event socket."""

from __future__ import annotations

import ipaddress
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack

import gevent
from gevent.lock import BoundedSemaphore

from fsivr.call.dialled import MACHINE, Dial, Dialled, DialResult
from fsivr.call.placing import DialOptions
from fsivr.causes import HangupCause
from fsivr.dialplan import Dialplan, handler_name
from fsivr.errors import CommandRefused, ConfigError, ESLError, ServerStopping
from fsivr.switch.group import Group
from fsivr.switch.order import Order

if TYPE_CHECKING:
    from fsivr.config import Settings
    from fsivr.esl.client import Client

# Seconds that the switch may take to say what came of a call, beyond those it rings.
_MARGIN = 10.0
# Seconds in which a machine must have been told from a person, and between two looks whether it has.
_DETECTION, _LOOK = 30.0, 0.25
_WILDCARDS = ("0.0.0.0", "::")


class Switch:
    """The switch: what it is asked, and the calls it places. A context manager.

    It connects when it is first used, and again when the connection is lost.

    :param settings: ``switch_address``, ``switch_password``, ``socket_address``, ``listen``, ``reply_timeout``.
    :param dialplan: where handlers of placed calls must stand; None where only the server knows.
    :param listening: where the server listens, where ``listen`` leaves the port open.
    """

    def __init__(
        self, settings: Settings, dialplan: Dialplan | None = None, *, listening: tuple[str, int] | None = None
    ) -> None:
        # Here and below: whoever imports fsivr, as every command does, need not wait for what only a call needs.
        from fsivr.config import parse_address

        self._settings = settings
        self._dialplan = dialplan
        self._listening = listening or settings.listen_address
        self._host, self._port = parse_address(settings.switch_address)
        self._given = parse_address(settings.socket_address) if settings.socket_address else None
        self._client: Client | None = None
        self._connecting = BoundedSemaphore(1)
        self._refused: ESLError | None = None
        self._tries = 0
        #: Whether the server that would take placed calls ends: it takes no more.
        self.stopping = False
        self._ringing: set[str] = set()
        self._to_kill: set[str] = set()

    @classmethod
    def of(cls, settings: Settings, dialplan: Dialplan | None = None) -> Self:
        """The switch that the settings name; nothing is connected yet."""
        return cls(settings, dialplan)

    def __repr__(self) -> str:
        return f"<Switch {self._settings.switch_address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what waits on it gets ``ConnectionLost``, and calls that ring are hung up."""
        if self._client is not None:
            for call_uuid in self._ringing:
                self._kill(call_uuid)
            self._client.close()

    def api(self, command: str, argument: str = "") -> str:
        """What an API command of the switch printed; for quick ones.

        :raises CommandRefused: the switch answered ``-ERR`` or ``-USAGE``.
        :raises ConnectionLost: it cannot be reached. ``AuthenticationError``: it refuses us.
        """
        return self._connected().api(command, argument)

    def originate(
        self,
        to: str,
        handler: type[Any],
        *,
        timeout: float = 30.0,
        caller_id: str = "",
        caller_name: str = "",
        variables: Mapping[str, str] | None = None,
        detect_machine: bool = False,
    ) -> Dialled:
        """What came of calling somebody: returns as soon as it is answered, and the handler has the call.

        The handler runs in the server, on a greenlet of its own. When this wait is left
        early, by a ``gevent.Timeout`` or a hangup as it may be, the call is hung up.

        :param to: an endpoint, as ``user/1000`` or ``sofia/gateway/carrier/4930123``.
        :param handler: a ``Handler`` class of the dialplan, in an extension or its ``outbound``.
        :param timeout: seconds it rings.
        :param caller_id: the number that is shown; the switch's own default where it is empty.
        :param caller_name: the name that is shown.
        :param variables: text for the handler, to be read as ``call.variables["order"]``.
        :param detect_machine: find out first whether a machine answered (``call.detect_machine``).
        :raises ValueError: text that would mean something else to the switch.
        :raises ConfigError: the handler stands in no dialplan, or the switch could not find our server.
        :raises CommandRefused: the switch did not take the order. ``ReplyTimeout``: it did not end it in time.
        :raises ConnectionLost: it cannot be reached; what rings then is hung up once it can be again.
        :raises ServerStopping: the server ends.
        """
        return self.ordered(
            to,
            handler,
            timeout=timeout,
            caller_id=caller_id,
            caller_name=caller_name,
            variables=variables,
            detect_machine=detect_machine,
        )()

    def ordered(
        self, to: str, handler: type[Any], *, call_uuid: str = "", **options: Unpack[DialOptions]
    ) -> Callable[[], Dialled]:
        """What places the call when it is called, for who must know before what is wrong with the order.

        :param call_uuid: the id that the call gets; one by chance where it is empty.
        :param options: as for ``originate``, and the errors are, but those of the call itself.
        """
        if self.stopping:
            raise ServerStopping("the server is stopping, and places no more calls")
        order = Order.checked(to, handler, **options)
        self._check_known(handler)
        client = self._connected()
        return partial(self._dial, client, order, self._server_as_seen(client), call_uuid or str(uuid.uuid4()))

    def dial_many(
        self,
        calls: Iterable[str | Dial],
        handler: type[Any] | None = None,
        *,
        concurrency: int = 10,
        per_second: float = 1.0,
        **options: Unpack[DialOptions],
    ) -> Iterator[Dialled]:
        """What came of each call of a group, as it is known; ends when the last call has ended.

        ``calls`` is taken from only as calls can be placed. An error of one, which is in
        its ``Dialled.error``, stops no other. Closing the iterator, or leaving it, places
        no more and hangs up what rings; what was answered goes on.

        :param calls: destinations, or ``Dial`` with what is different for that one.
        :param concurrency: how many may be ringing or up at once; a call counts until it has ended.
        :param per_second: how many are placed in a second.
        :param options: as for ``originate``.
        """
        return iter(Group(self, calls, handler, concurrency, per_second, self._settings.call_limit, options))

    # -- time, which a simulated switch has of its own ----------------------------------------

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def rest(self, seconds: float) -> None:
        """Wait."""
        gevent.sleep(seconds)

    # -- how it works --------------------------------------------------------------------------

    def _connected(self) -> Client:
        tries = self._tries
        with self._connecting:
            if self._client is None:
                from fsivr.esl.client import Client

                settings = self._settings
                self._client = Client(self._host, self._port, settings.switch_password, settings.reply_timeout)
                self._client.on_reconnect.append(self._kill_left)
            if not self._client.connected:
                if self._refused is not None and tries != self._tries:
                    # Who waited while another tried need not try, and wait, again.
                    raise type(self._refused)(*self._refused.args)
                self._connect(self._client)
            return self._client

    def _connect(self, client: Client) -> None:
        self._refused = None
        try:
            client.connect()
        except ESLError as error:
            self._refused = error
            raise
        finally:
            self._tries += 1
        self._kill_left()

    def _check_known(self, handler: type[Any]) -> None:
        if self._dialplan is None or self._dialplan.handler(handler_name(handler)) is handler:
            return
        raise ConfigError(
            f"the handler {handler_name(handler)} is not in the dialplan, or another has its name there: "
            "name it in an extension or in Dialplan(…, outbound=[…])"
        )

    def _server_as_seen(self, client: Client) -> str:
        """Where the switch finds our server, as its ``socket`` takes it: an IPv6 address without brackets.

        (mod_event_socket.c, socket_function: the last colon is the port's.)
        """
        given = self._given
        host, port = given or self._listening
        if not given and host in _WILDCARDS:
            host = client.local_host
        if not port:
            raise ConfigError("the switch cannot be told where our server is: listen has port 0; set socket_address")
        if not given and _is_here(host) and not _is_here(self._host):
            raise ConfigError(
                f"the switch at {self._host} cannot reach a server at {host}: set listen or socket_address "
                "to an address that it reaches"
            )
        return f"{host}:{port}"

    def _dial(self, client: Client, order: Order, server: str, call_uuid: str) -> Dialled:
        self._ringing.add(call_uuid)
        try:
            said = client.job(
                "originate",
                order.command(call_uuid, server),
                timeout=order.timeout + _MARGIN,
                when_left=lambda output: self._kill(call_uuid) if output.startswith("+OK") else None,
            )
            if not said.startswith("+OK"):
                return _failed(order.to, call_uuid, said)
            machine = order.detect_machine and self._is_machine(client, call_uuid)
        except CommandRefused:
            raise
        except BaseException:
            self._kill(call_uuid)
            raise
        finally:
            self._ringing.discard(call_uuid)
        return Dialled(order.to, DialResult.MACHINE if machine else DialResult.ANSWERED, None, call_uuid)

    def _is_machine(self, client: Client, call_uuid: str) -> bool:
        """Whether the server has found out that a machine answered; it says so in a variable of the call."""
        until = self.now() + _DETECTION
        while self.now() < until:
            try:
                said = client.api("uuid_getvar", f"{call_uuid} {MACHINE}")
            except CommandRefused:  # the call is over
                return False
            if said != "_undef_":
                return said == "machine"
            self.rest(_LOOK)
        return False

    def _kill(self, call_uuid: str) -> None:
        """Hang a call up, now or when the switch can be told; does not wait."""
        client = self._client
        if client is None or not client.post("uuid_kill", f"{call_uuid} {HangupCause.ORIGINATOR_CANCEL}"):
            self._to_kill.add(call_uuid)

    def _kill_left(self) -> None:
        left, self._to_kill = self._to_kill, set()
        for call_uuid in left:
            self._kill(call_uuid)


def _failed(to: str, call_uuid: str, said: str) -> Dialled:
    word = said.removeprefix("-ERR ").strip()
    if not said.startswith("-ERR ") or word not in HangupCause.__members__:
        raise CommandRefused(f"the switch refused 'originate': {said.strip()[:200]}")
    cause = HangupCause[word]
    return Dialled(to, DialResult.of(cause), cause, call_uuid)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
