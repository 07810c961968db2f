"""The switch: what the simulated one tells, as a real one does (tests/live has that)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fsivr.doctor.switch import NEEDED, WANTED
from fsivr.simulator import Switch

ROOT = Path(__file__).parent.parent.parent


def test_the_modules_are_those_of_the_configuration() -> None:
    text = (ROOT / "freeswitch/autoload_configs/modules.conf.xml").read_text()
    assert {*NEEDED, *WANTED, "mod_say_en"} == set(re.findall(r'module="(\w+)"', text))


@pytest.mark.parametrize(
    "name",
    [
        *("switch.reachable", "switch.version", "switch.modules", "switch.codecs", "switch.sessions", "switch.rate"),
        *("access.password", "access.event-socket", "access.callers", "clock.switch"),
    ],
)
def test_a_switch_that_is_right(levels: Any, name: str) -> None:
    assert levels(name) == ["ok"]


def test_a_switch_that_is_away(levels: Any, findings: Any, switch: Switch) -> None:
    switch.inbound.stop()
    (found,) = findings("switch.reachable")
    assert (found.level, found.mend.startswith("systemctl status freeswitch")) == ("error", True)
    assert levels("switch.modules") == levels("recordings.switch") == levels("access.password") == ["skipped"]


@pytest.mark.parametrize(("broken", "said"), [("password", "refused the password"), ("denies", "refuses our address")])
def test_a_switch_that_refuses_us(findings: Any, switch: Switch, broken: str, said: str) -> None:
    if broken == "password":
        switch.inbound.password = "another-one"
    else:
        switch.inbound.denies = True
    (found,) = findings("switch.reachable")
    assert (found.level, said in found.what) == ("error", True)


def test_modules_that_are_missing(findings: Any, switch: Switch) -> None:
    switch.modules_missing |= {"mod_fifo", "mod_sofia", "mod_say_de"}
    told = {each.what: each.level for each in findings("switch.modules", language="de")}
    assert told == {
        "mod_fifo is not loaded: call.queue": "warning",
        "mod_sofia is not loaded: calls come by SIP": "error",
        "mod_say_de is not loaded: Say in de": "warning",
    }


@pytest.mark.parametrize(("codecs", "level"), [("OPUS,PCMA", "note"), ("G722", "error"), ("PCMU@20i,G722", "ok")])
def test_codecs_of_a_profile(levels: Any, switch: Switch, codecs: str, level: str) -> None:
    switch.configuration["sofia.conf"] = switch.configuration["sofia.conf"].replace("PCMA,PCMU", codecs)
    assert levels("switch.codecs") == [level]


@pytest.mark.parametrize(("most", "level"), [(240, "ok"), (239, "warning"), (119, "error")])
def test_sessions_are_two_for_each_port(levels: Any, switch: Switch, most: int, level: str) -> None:
    switch.most_sessions = most
    assert levels("switch.sessions", ports=120) == [level]


def test_sessions_a_second(levels: Any, switch: Switch) -> None:
    switch.most_per_second = 19
    assert (levels("switch.rate", ports=240), levels("switch.rate", ports=120)) == (["warning"], ["ok"])


def test_another_machine_is_told(findings: Any) -> None:
    (found,) = findings("switch.machine")
    assert (found.level, "calls its machine simulator" in found.what) == ("note", True)


# -- its doors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "level"), [("ClueCon", "error"), ("change-me-in-local", "error"), ("short", "warning")]
)
def test_the_password_of_the_event_socket(findings: Any, switch: Switch, password: str, level: str) -> None:
    switch.configuration["event_socket.conf"] = switch.configuration["event_socket.conf"].replace(
        "a-password-of-its-own", password
    )
    (found,) = findings("access.password")
    assert found.level == level
    assert password not in found.what + found.mend


def test_a_password_that_the_switch_does_not_tell_is_ours(findings: Any, switch: Switch) -> None:
    del switch.configuration["event_socket.conf"]
    switch.inbound.password = "0123456789abcdef"
    assert [each.level for each in findings("access.password", switch_password="0123456789abcdef")] == ["ok"]
    assert [each.level for each in findings("access.event-socket", switch_password="0123456789abcdef")] == ["skipped"]


def test_access_lists_that_let_in_strangers(findings: Any, switch: Switch) -> None:
    switch.open_lists |= {"loopback.auto", "trunks"}
    (event_socket,) = findings("access.event-socket")
    assert event_socket.what == "the access list loopback.auto of the event socket lets in 192.0.2.77, a stranger"
    (callers,) = findings("access.callers")
    assert (callers.level, "of profile trunks lets in 192.0.2.77" in callers.what) == ("error", True)


def test_one_list_of_several_keeps_strangers_out(findings: Any, switch: Switch) -> None:
    text = switch.configuration["event_socket.conf"]
    second = '<param name="apply-inbound-acl" value="open"/></settings>'
    switch.configuration["event_socket.conf"] = text.replace("</settings>", second)
    switch.open_lists.add("open")
    assert [each.level for each in findings("access.event-socket")] == ["ok"]
    switch.open_lists.add("loopback.auto")
    assert [each.level for each in findings("access.event-socket")] == ["error"]


def test_who_may_call(findings: Any, switch: Switch) -> None:
    right = switch.configuration["acl.conf"]
    switch.configuration["acl.conf"] = re.sub("<node[^>]*>", "", right)
    (nobody,) = findings("access.callers")
    assert (nobody.level, "no carrier's call comes in" in nobody.what) == ("warning", True)
    switch.configuration["acl.conf"] = right.replace("trunks", "others")  # and the profile's there is not
    assert [each.level for each in findings("access.callers")] == ["warning"]
    switch.configuration["acl.conf"] = right
    profile = switch.configuration["sofia.conf"]
    profile = profile.replace('<param name="apply-inbound-acl" value="trunks"/>', "")
    switch.configuration["sofia.conf"] = profile
    assert [each.level for each in findings("access.callers")] == ["ok"]
    for given, level in (("trunks:public:nobody", "ok"), ("none", "ok"), ("nosuch", "warning")):
        more = f'<param name="apply-inbound-acl" value="{given}"/></settings>'
        switch.configuration["sofia.conf"] = profile.replace("</settings>", more)
        assert [each.level for each in findings("access.callers")] == [level], given
    switch.configuration["sofia.conf"] = profile.replace('name="auth-calls" value="true"', 'name="x" value="y"')
    assert [each.what for each in findings("access.callers")] == ["profile trunks lets in anybody"]


def test_an_event_socket_without_a_list_has_the_switchs_own(levels: Any, switch: Switch) -> None:
    text = switch.configuration["event_socket.conf"]
    switch.configuration["event_socket.conf"] = re.sub('<param name="apply[^>]*>', "", text)
    assert levels("access.event-socket") == ["note"]


# -- recordings and sounds --------------------------------------------------------------------


def test_the_switch_records_where_we_read_and_nothing_is_left(findings: Any, switch: Switch, tmp_path: Path) -> None:
    folder = tmp_path / "recordings/spool"
    folder.mkdir(parents=True)
    (found,) = findings("recordings.switch")
    assert (found.level, found.what) == ("ok", f"the switch writes into {folder}, and it is read here")
    assert not list(folder.iterdir())
    assert not switch.channels


def test_a_switch_that_writes_elsewhere(findings: Any, switch: Switch, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    switch.root = str(tmp_path / "elsewhere")
    (found,) = findings("recordings.switch")
    assert (found.level, found.what) == ("error", f"what the switch writes into {folder} is not seen here")
    switch.root = str(tmp_path / "file")
    (tmp_path / "file").write_text("no folder")
    (found,) = findings("recordings.switch")
    assert (found.level, found.what) == ("error", f"the switch cannot write into {folder}")
    assert not switch.channels


def test_the_folder_of_recordings(levels: Any, tmp_path: Path) -> None:
    assert levels("recordings.folder") == levels("recordings.switch") == ["skipped"]
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o750)
    assert (levels("recordings.folder"), levels("recordings.private")) == (["ok"], ["ok"])
    folder.chmod(0o755)
    assert levels("recordings.private") == ["warning"]


def test_what_lies_in_the_spool(findings: Any, tmp_path: Path) -> None:
    import os

    folder = tmp_path / "recordings/spool"
    folder.mkdir(parents=True)
    (folder / "old.wav").write_bytes(b"")
    (folder / "new.wav").write_bytes(b"")
    os.utime(folder / "old.wav", (1, 1))
    (found,) = findings("recordings.spool")
    assert (found.level, found.what) == ("note", "1 files of the spool are not written any more")


def test_prompts_that_the_switch_lacks(findings: Any, tmp_path: Path) -> None:
    (tmp_path / "en/bank/8000").mkdir(parents=True)
    (tmp_path / "en/bank/welcome.wav").write_bytes(b"")
    (tmp_path / "en/bank/8000/bye.wav").write_bytes(b"")
    names = {"bank/welcome": "apps/a.py:1", "bank/gone": "apps/a.py:2"}
    (found,) = findings("sounds.prompts", prompts_path=str(tmp_path), site={"prompts": lambda settings: names})
    lacks = f"{tmp_path}/bank/gone.wav (played at apps/a.py:2)"
    assert (found.level, found.what) == ("error", f"the switch lacks 1 of 2 prompts: {lacks}")
    names = {"bank/welcome": "apps/a.py:1"}
    (found,) = findings("sounds.prompts", prompts_path=str(tmp_path), site={"prompts": lambda settings: names})
    assert (found.level, found.what) == ("ok", "the switch has each of 1 prompts in en")


def test_a_prompt_of_one_rate_is_found(findings: Any, tmp_path: Path) -> None:
    (tmp_path / "8000").mkdir()
    (tmp_path / "8000/bye.wav").write_bytes(b"")
    names = {f"{tmp_path}/bye": "apps/a.py:1"}
    assert [each.level for each in findings("sounds.prompts", site={"prompts": lambda settings: names})] == ["ok"]
