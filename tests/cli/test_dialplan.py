"""``fsivr dialplan``."""

from __future__ import annotations


def test_it_prints_what_it_then_finds_up_to_date(fsivr, tmp_path) -> None:
    code, out, err = fsivr("dialplan", "--server", "10.0.0.5:8084")
    assert (code, err) == (0, "")
    assert 'data="10.0.0.5:8084 async full"' in out
    file = tmp_path / "fsivr.xml"
    file.write_text(out)
    assert fsivr("dialplan", "--server", "10.0.0.5:8084", "--check", str(file)) == (0, f"{file} is up to date\n", "")


def test_what_is_stale_is_said_with_an_exit_code(fsivr, tmp_path) -> None:
    file = tmp_path / "fsivr.xml"
    file.write_text("<include/>")
    code, out, _ = fsivr("dialplan", "--check", str(file))
    assert code == 1
    assert "extension '4100 apps.balance.Balance' of context 'public' is missing\n" in out


def test_wrong_use_is_one_clear_line(fsivr, tmp_path) -> None:
    assert "--server is HOST:PORT, as 10.0.0.5:8084, not 'x'" in fsivr("dialplan", "--server", "x")[2]
    assert "cannot be read: No such file" in fsivr("dialplan", "--check", str(tmp_path / "none"))[2]
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff")
    assert fsivr("dialplan", "--check", str(file))[0] == 2
