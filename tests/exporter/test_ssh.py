"""Who the SFTP server is and who we are: host keys, keys, passwords, agents; against a real sshd."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr.errors import ExportError, PermanentError
from fsivr.exporter.sftp import SFTPTarget
from tests.exporter.sshd import KINDS, PASSPHRASE, Sshd, made_key
from tests.exporter.users import PASSWORD, own_users
from tests.leaks import left, nothing_more_than

needs_users = pytest.mark.skipif(
    not own_users(), reason="a server with a password of its own needs root, openssl and unshare"
)


def _target(sshd: Sshd, **options: Any) -> SFTPTarget:
    known = {"known_hosts": sshd.folder / "known_hosts"} if "fingerprints" not in options else {}
    who: dict[str, Any] = {} if options.keys() & {"password", "key", "agent"} else {"key": sshd.keys["ed25519"]}
    where = {"host": "127.0.0.1", "port": sshd.port, "user": sshd.user, "folder": str(sshd.home)}
    return SFTPTarget("archive", **{**where, **known, **who, **options})


def _opens(target: SFTPTarget) -> None:
    try:
        target.open()
        assert target.size("nothing.wav") is None
    finally:
        target.close()


@pytest.fixture(autouse=True)
def known(sshd: Sshd) -> None:
    sshd.known_hosts(sshd.folder / "known_hosts")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_lets_us_in(sshd: Sshd, kind: str) -> None:
    before = left()
    _opens(_target(sshd, key=str(sshd.keys[kind])))
    nothing_more_than(before)


@pytest.mark.parametrize(("kind", "options"), [("ed25519", ()), ("rsa", ()), ("ecdsa", ("-m", "PEM"))])
def test_an_encrypted_key_lets_us_in_with_its_passphrase(
    sshd: Sshd, tmp_path: Path, kind: str, options: tuple[str, ...]
) -> None:
    key = made_key(tmp_path / "key", kind, passphrase=PASSPHRASE, options=options)
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(key.with_name("key.pub").read_text())
    _opens(_target(sshd, key=key, passphrase=PASSPHRASE))
    for wrong in (None, "wrong" + PASSPHRASE):
        with pytest.raises(PermanentError, match=f"{key} is no private key") as refused:
            _target(sshd, key=key, passphrase=wrong).open()
        assert PASSPHRASE not in str(refused.value)


@pytest.mark.parametrize("content", ["", "no key\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_file_that_is_no_key_is_named(sshd: Sshd, tmp_path: Path, content: str) -> None:
    (key := tmp_path / "key").write_text(content)
    with pytest.raises(PermanentError, match=f"{key} is no private key.*ed25519"):
        _target(sshd, key=key).open()
    with pytest.raises(PermanentError, match="gone cannot be read"):
        _target(sshd, key=tmp_path / "gone").open()


@needs_users
def test_a_password_lets_us_in_and_is_in_no_log(sshd: Sshd, caplog: pytest.LogCaptureFixture) -> None:
    for logger in ("", "paramiko", "paramiko.transport"):
        caplog.set_level(logging.DEBUG, logger)
    target = _target(sshd, password=PASSWORD)
    _opens(target)
    assert "transport" in caplog.text
    assert PASSWORD not in caplog.text + repr(target) + repr(vars(target))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    with gevent.Timeout(20):
        while not path.exists():
            gevent.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield
    process.kill()
    process.wait(10)


def test_an_agent_lets_us_in(sshd: Sshd, agent: None) -> None:
    with pytest.raises(PermanentError, match="ssh-add"):
        _target(sshd, agent=True).open()
    subprocess.run(["ssh-add", "-q", str(sshd.keys["ecdsa"])], check=True, capture_output=True, timeout=60)
    _opens(_target(sshd, agent=True))
    os.environ.pop("SSH_AUTH_SOCK")
    with pytest.raises(PermanentError, match="SSH_AUTH_SOCK"):
        _target(sshd, agent=True).open()


def test_a_key_that_is_not_authorized_is_named(sshd: Sshd, tmp_path: Path) -> None:
    key = made_key(tmp_path / "key", "ed25519")
    with pytest.raises(
        PermanentError, match=r"does not let us in; tried: the key ssh-ed25519 SHA256:.*authorized_keys"
    ):
        _target(sshd, key=key).open()
    with pytest.raises(PermanentError, match="neither a password nor a key is set"):
        _target(sshd, agent=False).open()


def test_the_fingerprint_of_any_key_of_the_server_will_do(sshd: Sshd) -> None:
    for kind in KINDS:
        _opens(_target(sshd, fingerprints=[sshd.host_key(kind).fingerprint]))
    wrong = "SHA256:" + "A" * 43
    with pytest.raises(PermanentError) as refused:
        _target(sshd, fingerprints=[wrong]).open()
    for fingerprint in (wrong, *(sshd.host_key(kind).fingerprint for kind in KINDS)):
        assert fingerprint in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kind_of_key_that_is_known_is_asked_for(sshd: Sshd, tmp_path: Path, kind: str) -> None:
    _opens(_target(sshd, known_hosts=sshd.known_hosts(tmp_path / "one", kinds=(kind,))))


def test_a_host_that_is_not_known_is_shown_and_not_trusted(sshd: Sshd, tmp_path: Path) -> None:
    (empty := tmp_path / "empty").write_text("")
    before = sshd.log().count("Accepted")
    with pytest.raises(PermanentError, match="no host key is known") as refused:
        _target(sshd, known_hosts=empty).open()
    assert any(sshd.host_key(kind).fingerprint in str(refused.value) for kind in KINDS)
    assert str(empty) in str(refused.value)
    assert empty.read_text() == ""
    with pytest.raises(PermanentError, match="no host key is known"):
        _target(sshd, known_hosts=None).open()
    assert sshd.log().count("Accepted") == before


def test_a_line_of_another_port_makes_no_key_known(sshd: Sshd) -> None:
    file = sshd.known_hosts(sshd.folder / "known_hosts", hashed=False)
    file.write_text(file.read_text().replace(f"[127.0.0.1]:{sshd.port}", "127.0.0.1"))
    with pytest.raises(PermanentError, match="no host key is known"):
        _target(sshd).open()


def test_a_changed_host_key_is_refused_before_anything_is_sent(sshd: Sshd, tmp_path: Path) -> None:
    file = sshd.known_hosts(tmp_path / "known_hosts", hashed=False)
    other = made_key(tmp_path / "other", "ed25519").with_name("other.pub").read_text().split()[1]
    lines = [line.split() for line in file.read_text().splitlines() if "ed25519" in line]
    file.write_text("".join(f"{names} {kind} {other}\n" for names, kind, _ in lines))
    before = sshd.log().count("Accepted")
    with pytest.raises(PermanentError, match=r"another host key than is known.*ask who runs it") as refused:
        _target(sshd, known_hosts=file).open()
    assert sshd.host_key("ed25519").fingerprint in str(refused.value)
    assert sshd.log().count("Accepted") == before


def test_a_server_without_a_key_of_the_known_kind_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    file = sshd.known_hosts(tmp_path / "known_hosts", kinds=("rsa",))
    sshd.stop()
    try:
        sshd.start(kinds=("ed25519",))
        with pytest.raises(PermanentError, match="another host key") as refused:
            _target(sshd, known_hosts=file).open()
        assert sshd.host_key("ed25519").fingerprint in str(refused.value)
    finally:
        sshd.stop()
        sshd.start()


def test_a_revoked_host_key_is_refused(sshd: Sshd) -> None:
    file = sshd.known_hosts(sshd.folder / "known_hosts", hashed=False)
    file.write_text(file.read_text() + "".join(f"@revoked {line}\n" for line in file.read_text().splitlines()))
    with pytest.raises(PermanentError, match=r"revoked: .*SHA256:"):
        _target(sshd).open()
    with pytest.raises(PermanentError, match="revoked"):
        _target(sshd, fingerprints=[sshd.host_key("ed25519").fingerprint], known_hosts=file).open()


@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n", b"SSH-2.0-none\r\n", b"SSH-1.5-old\r\n", b"\0" * 4096])
def test_a_server_that_does_not_speak_ssh_is_left_in_time(sshd: Sshd, greeting: bytes) -> None:
    before = left()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            client.sendall(greeting)
            held.append(client)

        held: list[socket.socket] = []
        serving = gevent.spawn(serve)
        with gevent.Timeout(30), pytest.raises(ExportError, match=r"127\.0\.0\.1"):
            _target(sshd, port=listener.getsockname()[1], timeout=1).open()
        serving.kill()
        held[0].close()
    nothing_more_than(before)
