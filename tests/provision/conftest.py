"""The machine of these tests: made once, provisioned once, then looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lacking import lacking
from tests.provision.root import Root
from tests.provision.stand_in import build

OPTIONS = {
    "FREESWITCH_DEBS": "/opt/debs",
    "SERVER_CLASS": "L",
    "WORKERS": "2",
    "TRUNKS": "203.0.113.10 198.51.100.0/24 2001:db8::/48",
    "PEERS": "192.0.2.7",
    "SERVERS": "192.0.2.7:8084",
    "API_NAME": "ivr.example.com",
    "DEMO_TELEPHONE": "yes",
}


def needed(*programs: str) -> None:
    """Skip where a program is not there; where everything has to be tested, fail."""
    missing = [program for program in programs if shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin") is None]
    if missing:
        lacking(f"{', '.join(missing)} needed: apt install debootstrap nftables systemd shellcheck")


class Machine:
    """A provisioned root, with what the runs of the script said."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.refused = root.run("/srv/fsivr/scripts/provision", wrong=True)
        self.untouched = not (root.folder / "etc/fsivr").exists()
        self.first = root.run("/srv/fsivr/scripts/provision", **OPTIONS)
        self.before = self.state()
        self.second = root.run("/srv/fsivr/scripts/provision")
        self.after = self.state()

    def state(self) -> str:
        """Each file that is the script's, with its owner, mode, time and size."""
        places = "/etc /opt/fsivr /var/lib/fsivr"
        return self.root.run(f"find {places} -not -path '*/apt/*' -printf '%p %M %u:%g %T@ %s %l\\n' | sort")

    def owned(self, path: str) -> str:
        """Mode and owner of a file."""
        return self.root.run(f"stat -c '%a %U:%G' {path}").strip()


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A Debian that scripts/provision was run in; FreeSWITCH is a package that stands in for it."""
    needed("debootstrap", "dpkg-deb", "unshare", "chroot")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        lacking("a root of Debian is made by root, who may mount")
    memory = Path("/dev/shm")
    if _has_room(memory):
        folder = Path(tempfile.mkdtemp(prefix="fsivr-debian-", dir=memory))
    else:
        folder = tmp_path_factory.mktemp("debian")
    try:
        root = Root(folder / "root")
        shutil.copytree(build(folder), root.folder / "opt/debs")
        yield Machine(root)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room(folder: Path) -> bool:
    """Whether a Debian can be made there: in memory it takes half the time, since dpkg waits for the disk."""
    if not folder.is_dir():
        return False
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize > 3_000_000_000 and not there.f_flag & (os.ST_NODEV | os.ST_NOEXEC)
