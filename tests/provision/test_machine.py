"""scripts/provision in a fresh Debian: what it makes, that a second run changes nothing, that calls are taken."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.provision.conftest import Machine

# Each in the order of what it costs to find out; all of them look at one machine.


def test_without_a_token_nothing_is_begun_and_the_ways_on_are_told(machine: Machine) -> None:
    assert "SIGNALWIRE_TOKEN" in machine.refused
    assert "--without-freeswitch" in machine.refused
    assert "Nothing was changed" in machine.refused
    assert machine.untouched


def test_a_second_run_changes_nothing_and_says_so(machine: Machine) -> None:
    assert "provision: done, with" in machine.first
    assert "provision: nothing to change" in machine.second
    assert sorted(set(machine.after.splitlines()) ^ set(machine.before.splitlines())) == []


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/etc/fsivr", "750 root:fsivr"),
        ("/etc/fsivr/fsivr.toml", "640 root:fsivr"),
        ("/etc/fsivr/provision.conf", "600 root:root"),
        ("/etc/fsivr/tls/key.pem", "640 root:fsivr"),
        ("/etc/freeswitch/local/vars.xml", "640 freeswitch:freeswitch"),
        ("/etc/freeswitch/local/users/1000.xml", "640 freeswitch:freeswitch"),
        ("/etc/freeswitch/tls/agent.pem", "640 freeswitch:freeswitch"),
        ("/etc/fs_cli.conf", "600 root:root"),
        ("/etc/nftables.d/fsivr.nft", "600 root:root"),
        ("/opt/fsivr", "755 root:root"),
        ("/opt/fsivr/apps/apps/__init__.py", "644 root:root"),
        ("/var/lib/fsivr", "711 fsivr:fsivr"),
        ("/var/lib/fsivr/database", "750 fsivr:fsivr"),
        ("/var/lib/fsivr/recordings", "2750 fsivr:fsivr-media"),
        ("/var/lib/fsivr/recordings/spool", "2770 fsivr:fsivr-media"),
    ],
)
def test_who_may_what(machine: Machine, path: str, wanted: str) -> None:
    assert machine.owned(path) == wanted


def test_the_switch_is_of_the_recordings_group_alone(machine: Machine) -> None:
    assert machine.root.run("id -nG freeswitch").split() == ["freeswitch", "fsivr-media"]
    assert machine.root.run("id -nG fsivr").split() == ["fsivr", "fsivr-media"]
    # With the -g of the package's unit it would not be: the switch drops all groups but that one.
    unit = machine.root.read("etc/systemd/system/freeswitch.service.d/fsivr.conf")
    assert "ExecStart=/usr/bin/freeswitch -u freeswitch -ncwait -nonat" in unit


def test_the_password_is_made_here_and_the_same_for_both(machine: Machine) -> None:
    settings = tomllib.loads(machine.root.read("etc/fsivr/fsivr.toml"))
    password = settings["switch_password"]
    assert re.fullmatch(r"[\w-]{32}", password)
    assert f"fsivr_event_socket_password={password}" in machine.root.read("etc/freeswitch/local/vars.xml")
    assert f"password => {password}" in machine.root.read("etc/fs_cli.conf")
    assert password not in machine.first + machine.second
    assert settings["ports"] == 120


def test_the_switch_has_our_configuration_and_the_packages_own_is_kept(machine: Machine) -> None:
    assert machine.root.read("etc/freeswitch.before-fsivr/freeswitch.xml") == "<document>of the package</document>\n"
    for path in (machine.root.folder / "etc/freeswitch").rglob("*.xml"):
        ElementTree.parse(path)
    variables = machine.root.read("etc/freeswitch/local/vars.xml")
    assert "fsivr_max_sessions=240" in variables
    assert "fsivr_tls=true" in variables
    assert "fsivr_music=/usr/share/freeswitch/sounds/music/default/8000" in variables
    trunks = ElementTree.parse(machine.root.folder / "etc/freeswitch/local/acl/trunks.xml").getroot()
    assert [node.get("cidr") for node in trunks] == ["203.0.113.10/32", "198.51.100.0/24", "2001:db8::/48"]
    dialplan = machine.root.read("etc/freeswitch/dialplan/apps.xml")
    assert 'data="127.0.0.1:8084|192.0.2.7:8084 async full"' in dialplan
    sorry = (machine.root.folder / "etc/freeswitch/local/sorry.wav").read_bytes()
    assert sorry[:4] == b"RIFF"
    assert len(sorry) > 50_000


def test_services_begin_with_the_machine_and_systemd_understands_them(machine: Machine) -> None:
    enabled = machine.root.run("systemctl is-enabled fsivr freeswitch fsivr-export.timer nftables").split()
    assert enabled == ["enabled"] * 4
    told = machine.root.run("systemd-analyze verify --man=no fsivr.service fsivr-export.timer freeswitch.service 2>&1")
    assert not [line for line in told.splitlines() if "fsivr" in line], told
    assert machine.root.read("etc/fsivr/service.env") == "WORKERS=2\n"


def test_what_is_begun_later_is_the_new_release_and_what_is_imported_is_ones_own(machine: Machine) -> None:
    told = machine.root.run("/opt/fsivr/venv/bin/python -c 'import sys, fsivr; print(sys.executable, fsivr.__file__)'")
    executable, module = told.split()
    assert executable == "/opt/fsivr/venv/bin/python"
    assert re.fullmatch(r"/opt/fsivr/releases/[0-9a-f]{16}/lib/\S+/fsivr/__init__.py", module)


def test_logs_are_rotated(machine: Machine) -> None:
    told = machine.root.run("mkdir -p /var/log/freeswitch; logrotate --debug /etc/logrotate.d/fsivr 2>&1")
    assert "error" not in told


def test_what_an_operator_writes_stays_and_a_changed_option_is_in_force(machine: Machine) -> None:
    settings = machine.root.folder / "etc/fsivr/fsivr.toml"
    before = settings.read_text()
    try:
        settings.write_text(before + 'export_at = "01:30"\n')
        checked = machine.root.run("/srv/fsivr/scripts/provision --check || test $? = 3", PORTS="77")
        assert "would: writes /etc/fsivr/fsivr.toml" in checked
        assert tomllib.loads(settings.read_text())["ports"] == 120
        machine.root.run("/srv/fsivr/scripts/provision", PORTS="77")
        now = tomllib.loads(settings.read_text())
        assert (now["ports"], now["export_at"]) == (77, "01:30")
        assert now["switch_password"] == tomllib.loads(before)["switch_password"]
        assert "fsivr_max_sessions=154" in machine.root.read("etc/freeswitch/local/vars.xml")
    finally:
        settings.write_text(before)
        machine.root.run("/srv/fsivr/scripts/provision", PORTS="")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"TRUNKS": "0.0.0.0/0"}, "0.0.0.0/0 is everybody"),
        ({"TRUNKS": "carrier.example.com"}, "TRUNKS: 'carrier.example.com'"),
        ({"SERVER_CLASS": "XXL"}, "SERVER_CLASS is S, M, L or XL, not 'XXL'"),
        ({"WORKERS": "0"}, "WORKERS is a whole number from 1 to 64, not '0'"),
        ({"SERVERS": "10.0.0.6"}, "SERVERS is HOST:PORT, with spaces between, or nothing, not '10.0.0.6'"),
        ({"NODE": 'a"b'}, "NODE is printable text"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(machine: Machine, options: dict[str, str], told: str) -> None:
    before = machine.root.read("etc/fsivr/provision.conf")
    assert told in machine.root.run("/srv/fsivr/scripts/provision", wrong=True, **options)
    assert machine.root.read("etc/fsivr/provision.conf") == before


def test_a_new_certificate_is_taken_by_both(machine: Machine) -> None:
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=new.example.com"
    make += " -keyout privkey.pem -out fullchain.pem"
    hook = "RENEWED_LINEAGE=/tmp/new /etc/letsencrypt/renewal-hooks/deploy/fsivr"
    machine.root.run(f"mkdir -p /tmp/new; cd /tmp/new; {make} 2>/dev/null; {hook}")
    new = machine.root.read("tmp/new/fullchain.pem")
    assert machine.root.read("etc/fsivr/tls/certificate.pem") == new
    assert machine.root.read("etc/freeswitch/tls/agent.pem") == machine.root.read("tmp/new/privkey.pem") + new
    machine.root.run(f"openssl genrsa -out /tmp/new/privkey.pem 2048; {hook}", wrong=True)
    assert machine.root.read("etc/freeswitch/tls/agent.pem").endswith(new)


def test_calls_are_taken_and_what_the_switch_records_is_sealed(machine: Machine) -> None:
    told = machine.root.run(f"unshare --net bash -euc {shlex.quote(_SMOKE.read_text())}")
    assert "hears '/opt/fsivr/apps/apps/sounds/en/voicemail/leave-a-message'" in told
    assert "the call ends: NORMAL_CLEARING" in told
    assert '"status":"ready"' in told.replace(" ", "")
    assert re.search(r"-rw-rw---- freeswitch:fsivr-media \S+/recordings/\d{4}/\d\d/\d\d/\S+\.wav", told), told
    assert re.search(r"sealed +\d:\d\d +1000 +4301", told), told


_SMOKE = Path(__file__).with_name("smoke.sh")
