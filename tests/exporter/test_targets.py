"""The tables of targets: what each kind allows, and what is said of a wrong one, secrets never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import ConfigError
from fsivr.exporter.exporting import chosen
from fsivr.exporter.targets import recipes
from fsivr.settings import Settings

S3 = {"kind": "s3", "bucket": "recordings", "endpoint": "https://s3.example.net"}
SFTP = {
    "kind": "sftp",
    "host": "sftp.example.net",
    "user": "ivr",
    "password": "S3CRET",
    "fingerprints": ("SHA256:" + "A" * 43,),
}
FTPS = {"kind": "ftps", "host": "ftp.example.net", "user": "ivr", "password": "S3CRET"}
FOLDER = {"kind": "folder", "path": "/mnt/archive"}


@pytest.mark.parametrize("table", [S3, SFTP, FTPS, FOLDER, {**FOLDER, "mounted": True}, {**S3, "part_size": 8 << 20}])
def test_what_is_right_makes_a_target(table: dict[str, Any]) -> None:
    recipe = recipes({"archive": table}, bandwidth=1000)["archive"]
    assert recipe().name == "archive"
    assert "S3CRET" not in repr(recipe)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "target archive: kind is not given: allowed is folder, s3, sftp, ftps"),
        ({"kind": "tape"}, "target archive: kind is 'tape': allowed is folder, s3, sftp, ftps"),
        ({"kind": 7}, "target archive: kind is 7: allowed is"),
        ({"kind": "folder"}, "target archive: path is missing"),
        ({**FOLDER, "pth": "x"}, "target archive: there is no key pth: there are path, mounted"),
        ({**FOLDER, "mounted": "yes"}, "target archive: mounted is 'yes': "),
        ({**S3, "lock": "for ever"}, "target archive: lock is 'for ever': "),
        ({**S3, "key_id": "K"}, "target archive: key_id and secret: both are given, or neither"),
        ({**S3, "endpoint": "http://s3.example.net"}, "without TLS"),
        ({**SFTP, "port": 0}, "target archive: port is 0: "),
        ({**SFTP, "password": "S3CRET\n"}, "target archive: password: "),
        ({**SFTP, "password": 7}, "target archive: password: "),
        ({**FTPS, "proof": "hope"}, "target archive: proof is 'hope': "),
    ],
)
def test_what_is_wrong_is_told(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipes({"archive": table})
    assert said in str(caught.value)
    assert "S3CRET" not in str(caught.value)


def test_every_wrong_target_has_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        recipes({"one": {}, "two": FOLDER, "three": {"kind": "x"}})
    assert [line[:12] for line in str(caught.value).splitlines()] == ["target one: ", "target three"]


def test_a_secret_is_read_from_a_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("of the file\n")
    monkeypatch.setenv("ARCHIVE_PASSWORD", "of the variable")
    table = {key: value for key, value in SFTP.items() if key != "password"}
    of_file = recipes({"a": {**table, "password_file": str(tmp_path / "password")}})["a"]
    assert of_file.arguments["password"] == "of the file"
    assert recipes({"a": {**table, "password_env": "ARCHIVE_PASSWORD"}})["a"].arguments["password"] == "of the variable"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"password_file": "missing"}, "password_file missing cannot be read: No such file"),
        ({"password_file": "empty"}, "password_file empty is empty"),
        ({"password_file": 7}, "password_file is the path of a file"),
        ({"password_env": "NO_SUCH"}, "there is none 'NO_SUCH'"),
        ({"password": "S3CRET", "password_env": "HOME"}, "password and password_env are one and the same"),
        ({"user_file": "x"}, "there is no key user_file"),
    ],
)
def test_a_secret_that_cannot_be_had(keys: dict[str, Any], said: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    table = {key: value for key, value in SFTP.items() if key != "password"}
    with pytest.raises(ConfigError) as caught:
        recipes({"a": {**table, **keys}})
    assert said in str(caught.value)
    assert "S3CRET" not in str(caught.value)


def test_plain_ftp_is_by_the_setting_alone() -> None:
    assert recipes({"a": FTPS})["a"].arguments["allow_plaintext"] is False
    assert recipes({"a": FTPS}, allow_plaintext_ftp=True)["a"].arguments["allow_plaintext"] is True
    with pytest.raises(ConfigError, match="no key allow_plaintext"):
        recipes({"a": {**FTPS, "allow_plaintext": True}})


def test_the_targets_that_are_named() -> None:
    settings = Settings.defaults(targets={"one": FOLDER, "two": FOLDER})
    assert list(chosen(settings)) == ["one", "two"]
    assert list(chosen(settings, ["two", "two"])) == ["two"]
    with pytest.raises(ConfigError, match="there is no target 'three': there are one, two"):
        chosen(settings, ["three"])
    with pytest.raises(ConfigError, match=r"give one as \[targets.NAME\]"):
        chosen(Settings.defaults())


def test_the_processes_share_the_bandwidth() -> None:
    recipe = recipes({"a": FOLDER}, bandwidth=1001)["a"]
    assert recipe.share(2).bandwidth == 501
    assert recipes({"a": FOLDER})["a"].share(2).bandwidth == 0
