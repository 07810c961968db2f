"""A fresh Debian: a root of its own, made by debootstrap from the mirror this machine is set up with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
#: What tells programs of this machine how they reach package registries; whatever it is here, it is there too.
_HANDED_ON = re.compile(r"(PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|\w+_proxy|\w+_PROXY)")


def mirror() -> str:
    """Where this machine gets Debian 12 from, read from its own sources.

    :raises LookupError: it has no such source.
    """
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for place in (place for place in places if place.suffix in (".list", ".sources") and place.is_file()):
        text = place.read_text()
        if place.suffix == ".list":
            found = re.search(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+bookworm\s", text, re.M)
            if found:
                return found[1]
        for stanza in re.split(r"\n\s*\n", text):
            address = re.search(r"^URIs:\s*(\S+)", stanza, re.M)
            if address and re.search(r"^Suites:.*\bbookworm\b", stanza, re.M):
                return address[1]
    raise LookupError("no source of apt here is of Debian 12 (bookworm)")


class Root:
    """A Debian below a folder; what is run in it sees nothing else, and no other processes are stopped by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {name: value for name, value in os.environ.items() if _HANDED_ON.fullmatch(name)}
        self._environment |= _configured_pip()
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(folder), mirror()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        # As no power cut is feared here, nothing waits for the disk.
        self.write("etc/dpkg/dpkg.cfg.d/unsafe", "force-unsafe-io\n")
        # No service is started by its package.
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
        for path in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(f"/{path}", folder / path)
        for path in Path("/etc/apt/apt.conf.d").iterdir():
            if "Check-" in (text := path.read_text()):  # the mirror is a snapshot
                self.write(str(path.relative_to("/")), text)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Make a file in it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path: str) -> str:
        """The text of a file in it."""
        return (self.folder / path).read_text()

    def run(self, script: str, *, wrong: bool = False, **environment: str) -> str:
        """Run a script of bash in it, as root, in a network of its own where it needs none; give what it says.

        :param wrong: whether it is expected to fail.
        """
        setting = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb"}
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", self._mounts(), "bash", script],
            env={**setting, **self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert (done.returncode != 0) is wrong, f"exit code {done.returncode}:\n{done.stdout[-6000:]}"
        return done.stdout

    def _mounts(self) -> str:
        """What is seen inside: this checkout, and files that the configuration of pip names; gone with the process."""
        lines = [f"mount -t proc proc {self.folder}/proc", f"mount -t tmpfs tmpfs {self.folder}/run"]
        named = {path for value in self._environment.values() for path in re.findall(r"(?:file://)?(/[^\s:]+)", value)}
        # The links of an index in a folder lead to what is beside it.
        named = {path.removesuffix("/simple") for path in named}
        cache = Path.home() / ".cache/pip"
        seen = [(REPOSITORY, "/srv/fsivr")]
        seen += [(Path(path), path) for path in sorted(named) if Path(path).exists() and path != "/"]
        seen += [(cache, "/root/.cache/pip")] if cache.is_dir() else []
        for outside, inside in seen:
            target = f"{self.folder}{inside}"
            make = f"mkdir -p {target}" if outside.is_dir() else f"mkdir -p $(dirname {target}); touch {target}"
            lines += [f"test -e {target} || {{ {make}; }}", f"mount --bind {outside} {target}"]
        return "\n".join([*lines, f'exec chroot {self.folder} /bin/bash -euo pipefail -c "$1"'])


def _configured_pip() -> dict[str, str]:
    """What pip's configuration files say here, as the variables that say the same."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = re.findall(r"^(?:global|install)\.([\w-]+)='(.*)'$", told.stdout, re.M)
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in found}
