"""The doctor and a real FreeSWITCH with the project's configuration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fsivr.doctor.checks import CHECKS
from fsivr.doctor.examining import examine
from fsivr.doctor.finding import Finding
from fsivr.doctor.site import Site
from tests.live.conftest import Lab

AREAS = ("switch", "access", "recordings", "sounds", "ports", "certificates", "clock", "limits")


def examined(lab: Lab, *areas: str, **settings: object) -> dict[str, list[Finding]]:
    site = Site(dataclasses.replace(lab.settings, **settings), prompts=lambda settings: {"no/such-prompt": "live.py:1"})
    try:
        found = examine(site, [check for check in CHECKS if check.area in (areas or AREAS)])
    finally:
        site.close()
    by_name: dict[str, list[Finding]] = {}
    for each in found:
        by_name.setdefault(f"{each.area}.{each.check}", []).append(each)
    return by_name


def test_the_projects_configuration_is_right(lab: Lab) -> None:
    (Path(lab.settings.recordings_path) / "spool").mkdir(parents=True, exist_ok=True)
    found = examined(lab)
    for name in (
        *("switch.reachable", "switch.version", "switch.modules", "switch.codecs", "switch.sessions", "switch.rate"),
        *("switch.machine", "access.event-socket", "access.callers", "clock.switch", "ports.event-socket"),
        *("ports.sip", "recordings.switch", "limits.files"),
    ):
        assert {each.level.value for each in found[name]} == {"ok"}, found[name]
    assert [each.what for each in found["certificates.switch"]] == ["no SIP profile of the switch has TLS"]
    (password,) = found["access.password"]
    assert (password.level, password.what) == ("warning", "it has 10 characters, which can be guessed")
    (prompts,) = found["sounds.prompts"]
    assert "no/such-prompt.wav (played at live.py:1)" in prompts.what
    assert not [each for told in found.values() for each in told if "itself failed" in each.what]


def test_the_trial_of_a_recording_leaves_nothing(lab: Lab) -> None:
    spool = Path(lab.settings.recordings_path) / "spool"
    before = sorted(spool.iterdir()) if spool.exists() else []
    (found,) = examined(lab, "recordings")["recordings.switch"]
    assert (found.level, sorted(spool.iterdir())) == ("ok", before)
    lab.until(lambda: "0 total" in lab.switch.client.api("show", "channels"))


def test_a_wrong_password_is_told(lab: Lab) -> None:
    found = examined(lab, "switch", switch_password="another-one")
    assert "refused the password" in found["switch.reachable"][0].what
    assert {each.level.value for name, told in found.items() for each in told} == {"error", "skipped"}


@pytest.mark.parametrize(("ports", "level"), [(120, "ok"), (121, "warning"), (241, "error")])
def test_its_sessions(lab: Lab, ports: int, level: str) -> None:
    (found,) = examined(lab, "switch", ports=ports)["switch.sessions"]
    assert found.level == level
