"""Where settings come from, which place wins, and what is said where one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr.config import SETTINGS, Settings, load
from fsivr.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_or_a_variable_the_defaults_are_in_force() -> None:
    settings = load(environ={})
    assert settings == Settings.defaults() == Settings()
    assert {settings.source(setting.name) for setting in SETTINGS} == {"default"}


def test_the_file_of_the_current_folder_is_read(folder: Path) -> None:
    (folder / "fsivr.toml").write_text('ports = 30\nallow = ["10.0.0.5"]\n')
    settings = load(environ={})
    assert (settings.ports, settings.allow) == (30, ("10.0.0.5",))
    assert settings.source("ports") == "fsivr.toml"
    assert settings.source("listen") == "default"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(folder: Path) -> None:
    (folder / "fsivr.toml").write_text('ports = 30\nlanguage = "de"\nlog_level = "debug"\n')
    settings = load(environ={"FSIVR_PORTS": "40", "FSIVR_LANGUAGE": "fr"}, ports=50)
    assert (settings.ports, settings.language, settings.log_level) == (50, "fr", "debug")
    assert settings.source("ports") == "--ports"
    assert settings.source("language") == "FSIVR_LANGUAGE"


def test_an_option_that_was_not_given_changes_nothing() -> None:
    assert load(environ={}, ports=None, listen=None) == Settings.defaults()


def test_a_named_file_is_read_instead(folder: Path) -> None:
    (folder / "fsivr.toml").write_text("ports = 30\n")
    (folder / "other.toml").write_text("ports = 60\n")
    (folder / "third.toml").write_text("ports = 90\n")
    environ = {"FSIVR_CONFIG": str(folder / "other.toml")}
    assert load(environ=environ).ports == 60
    assert load(folder / "third.toml", environ).ports == 90
    assert load(environ={"FSIVR_CONFIG": ""}).ports == 30


def test_a_list_in_the_environment_is_comma_separated() -> None:
    settings = load(environ={"FSIVR_ALLOW": "10.0.0.5, 10.1.0.0/16,::1"})
    assert settings.allow == ("10.0.0.5", "10.1.0.0/16", "::1")


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("FSIVR_PORTS", " 7 ", "ports", 7),
        ("FSIVR_REPLY_TIMEOUT", "2.5", "reply_timeout", 2.5),
        ("FSIVR_PROMPTS_PATH", "", "prompts_path", ""),
        ("FSIVR_LISTEN", "[::1]:0", "listen", "[::1]:0"),
    ],
)
def test_text_of_the_environment_becomes_the_setting(variable: str, text: str, name: str, value: object) -> None:
    assert getattr(load(environ={variable: text}), name) == value


@pytest.mark.parametrize("text", ["", "many", "1.5", "0", "99999999999999999999", "١"])
def test_a_wrong_variable_is_named(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^setting ports from FSIVR_PORTS is .*: allowed is a whole number from 1 to"
    ):
        load(environ={"FSIVR_PORTS": text})


def test_every_wrong_setting_is_told_at_once(folder: Path) -> None:
    (folder / "fsivr.toml").write_text('listn = "127.0.0.1:1"\nwhen_full = "queue"\nzzzzzz = 1\n')
    with pytest.raises(ConfigError) as caught:
        load(environ={"FSIVR_PORTS": "many", "FSIVR_POTRS": "5"})
    assert sorted(str(caught.value).splitlines()) == [
        "setting ports from FSIVR_PORTS is 'many': allowed is a whole number from 1 to 100000",
        "setting when_full from fsivr.toml is 'queue': allowed is 'hangup' or 'continue'",
        "there is no setting listn (from fsivr.toml): did you mean listen?",
        "there is no setting potrs (from FSIVR_POTRS): did you mean ports?",
        "there is no setting zzzzzz (from fsivr.toml): 'fsivr settings' lists them all",
    ]


def test_other_variables_are_no_settings() -> None:
    assert load(environ={"PORTS": "many", "XFSIVR_PORTS": "many", "fsivr_ports": "many"}) == Settings.defaults()


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^there is no settings file nowhere\.toml$"):
        load("nowhere.toml", {})
    with pytest.raises(ConfigError, match=r"^the settings file \. cannot be read: Is a directory$"):
        load(".", {})


@pytest.mark.parametrize("content", [b"ports = \n", b"ports = 5\nports = 6\n", b"ports = '\xff'\n", b"[ports\n"])
def test_a_file_that_is_not_toml_is_told(folder: Path, content: bytes) -> None:
    (folder / "fsivr.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"^the settings file fsivr\.toml is not TOML: "):
        load(environ={})


def test_a_table_is_no_value(folder: Path) -> None:
    (folder / "fsivr.toml").write_text("[ports]\nmost = 5\n[server]\nports = 5\n")
    with pytest.raises(ConfigError) as caught:
        load(environ={})
    assert "there is no setting server (from fsivr.toml)" in str(caught.value)
    assert "setting ports from fsivr.toml is {'most': 5}: allowed is a whole number" in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from([setting.variable for setting in SETTINGS] + ["FSIVR_X"]), st.text(max_size=20), max_size=4
    )
)
def test_any_environment_gives_settings_or_a_clear_error(environ: dict[str, str]) -> None:
    try:
        settings = load(environ=environ)
    except ConfigError as error:
        lines = str(error).split("\n")
        assert all(line.startswith(("setting ", "there is no setting ")) for line in lines), lines
        return
    assert all(settings.source(variable.removeprefix("FSIVR_").lower()) == variable for variable in environ)
