"""The configuration of the switch: whole, and agreeing with itself and with the applications."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fsivr.dialplan import load_dialplan
from fsivr.dialplan_xml import as_xml, stale

FOLDER = Path(__file__).parent.parent / "freeswitch"
FILES = sorted(FOLDER.rglob("*.xml"))

#: Variables that the switch itself sets (switch_core.c, switch_core_set_globals and switch_load_core_config).
BUILT_IN = {"local_ip_v4", "sounds_dir", "log_dir", "db_dir", "conf_dir", "recordings_dir"}
#: The module of each application, endpoint or file of the configuration.
MODULE_OF = {
    "set": "mod_dptools",
    "socket": "mod_event_socket",
    "transfer": "mod_dptools",
    "playback": "mod_dptools",
    "hangup": "mod_dptools",
}
#: The file of each module that has one, as ``autoload_configs/NAME.conf.xml``.
NEEDS_A_FILE = {
    "avmd",
    "db",
    "event_socket",
    "sofia",
    "console",
    "logfile",
    "local_stream",
    "conference",
    "fifo",
    "callcenter",
}


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def roots() -> list[ElementTree.Element]:
    return [ElementTree.parse(path).getroot() for path in FILES]


def loaded() -> set[str]:
    modules = ElementTree.parse(FOLDER / "autoload_configs/modules.conf.xml").getroot()
    return {load.get("module", "") for load in modules.iter("load")}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_each_file_is_well_formed_and_within_its_lines(path: Path) -> None:
    ElementTree.parse(path)
    text = path.read_text()
    assert "\t" not in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("check", ["analyze", "lint"])
def test_the_linter_finds_nothing(check: str) -> None:
    linter = Path(sys.executable).with_name("frslint")
    told = subprocess.run([linter, check, FOLDER / "freeswitch.xml"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
    assert re.search("No (issues|style violations) found", told.stdout), told.stdout


def test_every_variable_is_set_somewhere() -> None:
    text = "".join(path.read_text() for path in FILES)
    declared = set(re.findall(r'cmd="set" data="(\w+)=', text)) | BUILT_IN
    assert set(re.findall(r"\$\$\{(\w+)\}", text)) <= declared


def test_every_variable_of_ours_is_used() -> None:
    text = "".join(path.read_text() for path in FILES)
    own = set(re.findall(r'cmd="set" data="(fsivr_\w+)=', text))
    assert own <= set(re.findall(r"\$\$\{(\w+)\}", text))


def test_every_file_that_is_included_is_there_or_is_the_machines_own() -> None:
    for path in FILES:
        for data in re.findall(r'cmd="include" data="([^"]+)"', path.read_text()):
            base = FOLDER if path.name == "freeswitch.xml" else path.parent
            assert "local/" in data or list(base.glob(data)), f"{named(path)} includes {data}, which is not there"


def test_every_application_has_its_module() -> None:
    used = {action.get("application", "") for root in roots() for action in root.iter("action")}
    assert {MODULE_OF[application] for application in used} <= loaded()


def test_every_module_that_is_configured_is_loaded_and_the_other_way_round() -> None:
    there = {path.name.removesuffix(".conf.xml") for path in (FOLDER / "autoload_configs").glob("*.conf.xml")}
    assert there - {"modules", "switch", "acl", "timezones"} == NEEDS_A_FILE
    assert {f"mod_{name}" for name in NEEDS_A_FILE} <= loaded()


def test_the_dialplan_is_that_of_the_applications() -> None:
    wanted = as_xml(load_dialplan("apps:dialplan"), ["127.0.0.1:8084"], made_of="apps:dialplan")
    assert stale((FOLDER / "dialplan/apps.xml").read_text(), wanted) == []


def test_nobody_gets_in_from_outside() -> None:
    socket = {
        param.get("name"): param.get("value")
        for param in ElementTree.parse(FOLDER / "autoload_configs/event_socket.conf.xml").getroot().iter("param")
    }
    assert socket["listen-ip"] == "127.0.0.1"
    assert socket["apply-inbound-acl"] == "loopback.auto"
    assert "ClueCon" not in "".join(path.read_text() for path in FILES)
    (trunks,) = ElementTree.parse(FOLDER / "autoload_configs/acl.conf.xml").getroot().iter("list")
    assert trunks.get("default") == "deny"
