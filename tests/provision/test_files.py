"""What the provisioning is made of, looked at without running it: units, rules, user data, Vagrantfile, documents."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from fsivr.cli.commands import commands
from tests.provision.conftest import needed
from tests.provision.root import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
UNITS = ("fsivr.service", "fsivr-export.service")


def ran(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("unit", UNITS)
def test_a_service_may_little(unit: str) -> None:
    needed("systemd-analyze")
    told = ran("systemd-analyze", "security", "--offline=yes", "--threshold=30", SCRIPTS / "systemd" / unit)
    assert told.returncode == 0, told.stdout
    level = re.search(rf"Overall exposure level for {unit}: (\d+\.\d)", told.stdout)
    assert level
    assert float(level[1]) <= 3.0


def test_calls_are_let_finish_before_systemd_ends_the_service() -> None:
    unit = (SCRIPTS / "systemd/fsivr.service").read_text()
    drain = re.search(r"^drain_timeout = (\d+)$", (SCRIPTS / "provisioning/settings.sh").read_text(), re.M)
    stop = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    assert drain
    assert stop
    assert int(stop[1]) > int(drain[1])
    assert "Type=notify" in unit
    assert "ExecReload=/bin/kill -HUP $MAINPID" in unit


@pytest.mark.parametrize("trunks", ["", "203.0.113.10", "2001:db8::1 198.51.100.0/24 198.51.100.7"])
def test_the_rules_of_the_firewall_can_be_loaded_twice(trunks: str, tmp_path: Path) -> None:
    needed("nft", "unshare")
    if os.geteuid() != 0:
        pytest.skip("nftables are root's")
    rules = ran("bash", "-c", f"source {SCRIPTS}/provisioning/firewall.sh; rules", env={**_options(), "TRUNKS": trunks})
    assert rules.returncode == 0, rules.stderr
    file = tmp_path / "rules.nft"
    # What an operator had stays.
    file.write_text(rules.stdout)
    load = f"nft add table inet theirs; nft -c -f {file} && nft -f {file} && nft -f {file} && nft list ruleset"
    told = ran("unshare", "--net", "bash", "-c", load)
    assert told.returncode == 0, told.stderr
    assert "table inet theirs" in told.stdout
    assert "policy drop" in told.stdout
    assert not re.search(r"8021|8080", told.stdout)
    assert re.findall(r"^.*8084.*$", told.stdout, re.M) == [
        "\t\tip saddr @peers4 tcp dport 8084 accept",
        "\t\tip6 saddr @peers6 tcp dport 8084 accept",
    ]


def _options() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TELEPHONES": "", "PEERS": "", "SSH_PORTS": "22 2222", "API_LISTEN": ""}


def test_shellcheck_finds_nothing() -> None:
    needed("shellcheck")
    scripts = [path for path in [*SCRIPTS.rglob("*"), REPOSITORY / ".ci/run"] if path.is_file()]
    ours = [path for path in scripts if path.suffix == ".sh" or path.read_bytes()[:19] == b"#!/usr/bin/env bash"]
    assert len(ours) > 12
    told = ran("shellcheck", "--severity=warning", *ours, cwd=REPOSITORY)
    assert told.returncode == 0, told.stdout


def test_the_token_is_in_no_argument_and_in_no_file_that_others_read() -> None:
    text = (SCRIPTS / "provisioning/freeswitch.sh").read_text()
    uses = [line.strip() for line in text.splitlines() if "SECRET_TOKEN" in line]
    written = [line for line in uses if "password $SECRET_TOKEN" in line]
    assert written == [
        'put "$AUTHENTICATION" root:root 600 <<<"machine $REPOSITORY login signalwire password $SECRET_TOKEN"'
    ]
    assert all(line.startswith(("[[", "elif [[", "put ")) for line in uses)
    assert "unset SIGNALWIRE_TOKEN" in (SCRIPTS / "provisioning/options.sh").read_text()


def test_the_user_data_is_what_cloud_init_reads_and_its_options_are_ours() -> None:
    text = (SCRIPTS / "provisioning/cloud-init.yaml").read_text()
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert set(data) == {"package_update", "packages", "write_files", "runcmd"}
    for file in data["write_files"]:
        assert set(file) == {"path", "owner", "permissions", "content"}
        assert file["permissions"] == "0600"
    assert all(isinstance(word, str) for command in data["runcmd"] for word in command)
    options = re.findall(r"^option (\w+)", (SCRIPTS / "provisioning/options.sh").read_text(), re.M)
    used = re.findall(r"^(\w+)=", data["write_files"][0]["content"], re.M)
    assert used
    assert set(used) <= set(options)


def test_vagrant_finds_nothing_wrong() -> None:
    needed("vagrant")
    told = ran("vagrant", "validate", "--ignore-provider", cwd=REPOSITORY)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_units_run_what_the_provisioning_makes() -> None:
    for unit in UNITS:
        parsed = configparser.RawConfigParser(strict=False, interpolation=None)
        parsed.optionxform = str  # type: ignore[assignment,method-assign]
        parsed.read(SCRIPTS / "systemd" / unit)
        service = parsed["Service"]
        assert service["ExecStart"].startswith("/opt/fsivr/venv/bin/python -m fsivr ")
        assert service["WorkingDirectory"] == "/opt/fsivr/apps"
        assert service["ReadWritePaths"] == "/var/lib/fsivr"


def _named_commands() -> list[list[str]]:
    """Each command of fsivr that docs/operations.md names, in words."""
    text = (REPOSITORY / "docs/operations.md").read_text()
    found = re.findall(r"`(?:/opt/fsivr/venv/bin/)?fsivr ([a-z][^`]*)`", text)
    found += re.findall(r"^.*/opt/fsivr/venv/bin/fsivr ([a-z].*)$", text, re.M)
    return [shlex.split(command) for command in found]


def test_every_command_of_the_document_on_operation_is_there() -> None:
    named = _named_commands()
    assert len(named) > 15
    for words in named:
        command: click.Command | None = commands
        options: set[str] = set()
        for word in words:
            if isinstance(command, click.Group) and not word.startswith("-"):
                command = command.get_command(click.Context(command), word) or command
            assert command is not None
            assert command is not commands, f"fsivr has no {word!r}: {words}"
            options |= {option for parameter in command.params for option in parameter.opts}
            # A group's own command may be left out: `fsivr calls --state live` is that of list.
            parts = command.commands.values() if isinstance(command, click.Group) else ()
            options |= {option for part in parts for parameter in part.params for option in parameter.opts}
            assert not word.startswith("-") or word in options, f"{words} has an option {word} that is not there"
