"""Which host keys are known: the lines of a known_hosts file, and fingerprints."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest

from fsivr.errors import PermanentError
from fsivr.exporter.known_hosts import HostKey, fingerprints, known_hosts


def _key(kind: str = "ssh-ed25519", fill: bytes = b"k") -> tuple[HostKey, str]:
    blob = struct.pack(">I", len(kind)) + kind.encode() + struct.pack(">I", 32) + fill * 32
    return HostKey(kind, blob), f"{kind} {base64.b64encode(blob).decode()}"


KEY, TEXT = _key()
OTHER, OTHER_TEXT = _key(fill=b"o")
RSA, RSA_TEXT = _key("ssh-rsa")


@pytest.mark.parametrize(
    ("names", "host", "port", "known"),
    [
        ("a.example", "a.example", 22, True),
        ("a.example", "A.Example", 22, True),
        ("A.example", "a.example", 22, True),
        ("a.example", "a.example", 2222, False),
        ("[a.example]:2222", "a.example", 2222, True),
        ("[a.example]:2222", "a.example", 22, False),
        ("[a.example]:2222", "a.example", 2223, False),
        ("b.example,a.example,10.0.0.1", "10.0.0.1", 22, True),
        ("*.example", "a.example", 22, True),
        ("?.example", "aa.example", 22, False),
        ("*.example,!a.example", "a.example", 22, False),
        ("!a.example,*.example", "a.example", 22, False),
        ("[*.example]:2222", "a.example", 2222, True),
        ("[a.example]", "a", 22, False),
        ("[::1]:2222", "::1", 2222, True),
        ("|1|bad|worse", "a.example", 22, False),
        ("|2|c2FsdA==|c2FsdA==", "a.example", 22, False),
    ],
)
def test_a_line_is_for_its_hosts_at_their_port(tmp_path: Path, names: str, host: str, port: int, known: bool) -> None:
    (file := tmp_path / "known_hosts").write_text(f"# a comment\n\n{names} {TEXT} comment\n")
    assert known_hosts(file, host, port).accepts(KEY) is known
    assert not known_hosts(file, host, port).accepts(OTHER)


def test_lines_that_ssh_keygen_hashed_are_found(tmp_path: Path) -> None:
    (file := tmp_path / "known_hosts").write_text(f"a.example {TEXT}\n[a.example]:2222 {OTHER_TEXT}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True, timeout=60)
    assert "a.example" not in file.read_text()
    assert known_hosts(file, "a.example", 22).known == {KEY}
    assert known_hosts(file, "a.example", 2222).known == {OTHER}
    assert known_hosts(file, "b.example", 22).known == frozenset()


def test_a_revoked_key_is_accepted_by_no_line(tmp_path: Path) -> None:
    (file := tmp_path / "known_hosts").write_text(f"a.example {TEXT}\n@revoked * {TEXT}\na.example {OTHER_TEXT}\n")
    keys = known_hosts(file, "a.example", 22)
    assert not keys.accepts(KEY)
    assert keys.accepts(OTHER)
    assert not keys._replace(fingerprints=frozenset([KEY.fingerprint])).accepts(KEY)


@pytest.mark.parametrize("line", ["a.example", "a.example ssh-ed25519", "a ssh-rsa !!!", f"a.example ssh-rsa {TEXT}"])
def test_a_line_without_a_key_is_passed_over_but_not_a_revoked_one(tmp_path: Path, line: str) -> None:
    (file := tmp_path / "known_hosts").write_text(f"{line}\na.example {TEXT}\n")
    assert known_hosts(file, "a.example", 22).known == {KEY}
    file.write_text(f"a.example {TEXT}\n@revoked {line}\n")
    with pytest.raises(PermanentError, match="line 2"):
        known_hosts(file, "a.example", 22)


def test_certificate_authorities_make_no_key_known(tmp_path: Path) -> None:
    (file := tmp_path / "known_hosts").write_text(f"@cert-authority * {TEXT}\n")
    assert known_hosts(file, "a.example", 22).known == frozenset()


def test_a_file_that_is_not_there_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"ssh-keyscan -p 2222 a\.example"):
        known_hosts(tmp_path / "none", "a.example", 2222)


def test_fingerprints_are_those_of_ssh_keygen() -> None:
    assert fingerprints((KEY.fingerprint, OTHER.fingerprint + "=")).accepts(KEY)
    assert fingerprints((KEY.fingerprint, OTHER.fingerprint + "=")).accepts(OTHER)
    assert not fingerprints((KEY.fingerprint,)).accepts(OTHER)
    for wrong in ("", "MD5:00:11", KEY.fingerprint[:-1], "sha256:" + KEY.fingerprint[7:]):
        with pytest.raises(PermanentError, match="SHA256:"):
            fingerprints((wrong,))


def test_only_what_is_known_is_negotiated(tmp_path: Path) -> None:
    offered = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    (file := tmp_path / "known_hosts").write_text(f"a.example {RSA_TEXT}\nb.example {TEXT}\nc.example ssh-dss AAAA\n")
    assert known_hosts(file, "a.example", 22).algorithms(offered) == [("rsa-sha2-512", "rsa-sha2-256")]
    assert known_hosts(file, "b.example", 22).algorithms(offered) == [("ssh-ed25519",)]
    assert known_hosts(file, "c.example", 22).algorithms(offered) == []
    assert fingerprints((KEY.fingerprint,)).algorithms(offered) == [
        ("ssh-ed25519",),
        ("ecdsa-sha2-nistp256",),
        ("rsa-sha2-512", "rsa-sha2-256"),
    ]
