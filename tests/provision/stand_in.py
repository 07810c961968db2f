"""A package that stands in for FreeSWITCH's: its user, folders and unit, as SignalWire's make them, and no switch."""

from __future__ import annotations

import subprocess
from pathlib import Path

_CONTROL = """\
Package: freeswitch
Version: 1.10.12
Architecture: all
Maintainer: tests <tests@example.com>
Description: stands in for FreeSWITCH in tests of the provisioning
"""
_AFTER = """\
#!/bin/sh
set -e
getent group freeswitch >/dev/null || groupadd --system freeswitch
getent passwd freeswitch >/dev/null || useradd --system -g freeswitch -d /var/lib/freeswitch -s /bin/false freeswitch
mkdir -p /var/lib/freeswitch /var/log/freeswitch /etc/freeswitch
chown freeswitch:freeswitch /var/lib/freeswitch /var/log/freeswitch
"""
_UNIT = """\
[Unit]
Description=freeswitch
[Service]
Type=forking
PIDFile=/run/freeswitch/freeswitch.pid
ExecStart=/usr/bin/freeswitch -u freeswitch -g freeswitch -ncwait -nonat
[Install]
WantedBy=multi-user.target
"""


def build(folder: Path) -> Path:
    """A folder with the package in it."""
    tree = folder / "tree"
    files = {
        "DEBIAN/control": (_CONTROL, 0o644),
        "DEBIAN/postinst": (_AFTER, 0o755),
        "usr/bin/freeswitch": ("#!/bin/sh\nexit 1\n", 0o755),
        "usr/bin/fs_cli": ("#!/bin/sh\nexit 1\n", 0o755),
        "usr/share/freeswitch/sounds/music/default/8000/danza.wav": ("", 0o644),
        "lib/systemd/system/freeswitch.service": (_UNIT, 0o644),
        # What a configuration of the packages' would be.
        "etc/freeswitch/freeswitch.xml": ("<document>of the package</document>\n", 0o644),
    }
    for name, (text, mode) in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
    debs = folder / "debs"
    debs.mkdir()
    command = ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(debs / "freeswitch.deb")]
    subprocess.run(command, check=True, capture_output=True)
    return debs
