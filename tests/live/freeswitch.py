"""A real FreeSWITCH of the tests' own: the project's configuration, in a temporary folder, on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import gevent

from fsivr import Dialplan
from fsivr.dialplan_xml import as_xml
from fsivr.errors import ESLError
from fsivr.esl.client import Client

ROOT = Path(__file__).parent.parent.parent
_PLACES = ("/usr/bin/freeswitch", "/usr/local/bin/freeswitch", "/usr/local/freeswitch/bin/freeswitch")
_PATIENCE = 60.0
_PASSWORD = "live-tests"

#: What is called besides fsivr: far ends of bridges and of placed calls.
_FAR_ENDS = """<include>
  <context name="far">
    <extension name="tone">
      <condition field="destination_number" expression="^tone$">
        <action application="answer"/>
        <action application="playback" data="tone_stream://%(60000,0,440)"/>
      </condition>
    </extension>
    <extension name="busy">
      <condition field="destination_number" expression="^busy$">
        <action application="hangup" data="USER_BUSY"/>
      </condition>
    </extension>
  </context>
</include>
"""


def binary() -> str | None:
    """This machine's FreeSWITCH: ``FREESWITCH_BIN``, or where it usually is; None where there is none."""
    given = os.environ.get("FREESWITCH_BIN")
    if given:
        return given
    return shutil.which("freeswitch") or next((place for place in _PLACES if Path(place).exists()), None)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of this machine that nobody has at the moment."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class FreeSwitch:
    """A running FreeSWITCH; ``close`` ends and removes it.

    :param servers: where its dialplan sends calls, in order.
    :param certificate: the files of its certificate and of the key; without them it has no TLS.
    """

    password = _PASSWORD

    def __init__(
        self, program: str, dialplan: Dialplan, servers: list[str], *, certificate: tuple[Path, Path] | None = None
    ) -> None:
        self._program = program
        self.folder = Path(tempfile.mkdtemp(prefix="fsivr-live-"))
        self.port, self.sip = free_port(), free_port(socket.SOCK_DGRAM)
        self.tls = free_port()
        self._configure(dialplan, servers, certificate)
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Client("127.0.0.1", self.port, _PASSWORD, 10.0)
        self.start()

    @property
    def address(self) -> str:
        """The setting ``switch_address`` of it."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it logged."""
        return (self.folder / "log/freeswitch.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it; returns when its event socket answers."""
        folders = {
            name: self.folder / name for name in ("log", "db", "run", "temp", "storage", "recordings", "scripts")
        }
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        options = [part for name, folder in folders.items() for part in (f"-{name}", str(folder))]
        options += ["-conf", str(self.folder / "conf"), "-certs", str(self.folder / "conf/tls")]
        command = [self._program, "-nf", "-nc", "-nonat", *options]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.client.connect()
                if "is ready" in self.client.api("status") and "RUNNING" in self.client.api("sofia", "status"):
                    return
            except ESLError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
            gevent.sleep(0.2)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End and remove it."""
        self.client.close()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self, dialplan: Dialplan, servers: list[str], certificate: tuple[Path, Path] | None) -> None:
        conf = self.folder / "conf"
        shutil.copytree(ROOT / "freeswitch", conf)
        values = {
            "fsivr_sip_ip": "127.0.0.1",
            "fsivr_external_ip": "127.0.0.1",
            "fsivr_sip_port": self.sip,
            "fsivr_event_socket_port": self.port,
            "fsivr_event_socket_password": _PASSWORD,
        }
        if certificate is not None:
            values |= {"fsivr_tls": "true", "fsivr_tls_port": self.tls}
            (conf / "tls").mkdir()
            (conf / "tls/agent.pem").write_bytes(certificate[1].read_bytes() + certificate[0].read_bytes())
            (conf / "tls/cafile.pem").write_bytes(certificate[0].read_bytes())
        lines = [f'  <X-PRE-PROCESS cmd="set" data="{name}={value}"/>' for name, value in values.items()]
        (conf / "local/vars.xml").write_text("\n".join(["<include>", *lines, "</include>", ""]))
        (conf / "local/acl").mkdir()
        allowed = '<include>\n  <node type="allow" cidr="127.0.0.1/32"/>\n</include>\n'
        (conf / "local/acl/tests.xml").write_text(allowed)
        (conf / "dialplan/apps.xml").write_text(as_xml(dialplan, servers))
        (conf / "dialplan/far.xml").write_text(_FAR_ENDS)

    # -- callers ----------------------------------------------------------------------------

    def call(self, number: str, *, sound: str = "tone_stream://%(60000,0,440)", seconds: int = 60) -> Telephone:
        """A caller who dials a number over SIP, with sound over RTP; returns when the call was answered.

        :param sound: what the caller says.
        """
        variables = (
            f"{{originate_timeout=20,origination_caller_id_number=4930123,execute_on_answer='sched_hangup +{seconds}'}}"
        )
        told = self.client.bgapi(
            "originate", f"{variables}sofia/trunks/{number}@127.0.0.1:{self.sip} &playback({sound})", timeout=30
        )
        assert told.startswith("+OK "), told
        return Telephone(self, told.split()[1])


class Telephone:
    """The caller's side of a call."""

    def __init__(self, switch: FreeSwitch, uuid: str) -> None:
        self._switch = switch
        self.uuid = uuid

    @property
    def up(self) -> bool:
        """Whether the call is."""
        return self._switch.client.api("uuid_exists", self.uuid).strip() == "true"

    def dials(self, keys: str) -> None:
        """Press keys: RFC 2833 events over RTP."""
        self._switch.client.api("uuid_send_dtmf", f"{self.uuid} {keys}")

    def hangs_up(self) -> None:
        """End the call."""
        self._switch.client.api("uuid_kill", self.uuid)
