"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.lacking import lacking

_PASSWORD = "S3cret-of-tests"


def folder() -> Path | None:
    """Where the programs of PostgreSQL are; None where there are none."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


def installed() -> Path:
    """Where they are; a test that needs them is skipped where there are none."""
    return folder() or lacking("PostgreSQL is not installed; on Debian and Ubuntu: apt install postgresql")


class PostgreSQL:
    """A server that can be stopped and started again; ``close`` removes it."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="fsivr-postgresql-"))
        self._data = self._folder / "data"
        self._user: list[str] = []
        if os.geteuid() == 0:  # which PostgreSQL does not run as
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        secret = self._folder / "password"
        secret.write_text(_PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-U", "fsivr", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def address(self, name: str = "postgres") -> str:
        """The setting ``database`` of one of its databases."""
        return f"postgresql://fsivr:{_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = f"-p {self.port} -k {self._folder} -h 127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a failing machine would, with its clients connected."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        """Stop and remove it."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", str(self._data), *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        # Not to a pipe: the server would keep it open for as long as it runs.
        with (self._folder / f"{program}.out").open("w+") as out:
            code = subprocess.run(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                timeout=120,
                check=False,
            ).returncode
            out.seek(0)
            assert code == 0, out.read()
