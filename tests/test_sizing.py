"""Sizing: each figure can be reckoned by hand."""

from __future__ import annotations

import re

import pytest

from fsivr.sizing import CLOUDS, CODECS, TABLE, Demand, size


def test_bandwidth_is_the_sound_and_what_each_packet_carries() -> None:
    assert size(Demand(1)).layers == {"sound": 64, "RTP over IPv4": 80, "Ethernet": 87.2, "on the wire": 95.2}
    assert size(Demand(1, "G729")).layers["RTP over IPv4"] == 24
    assert size(Demand(1, srtp=True, ipv6=True)).layers["SRTP over IPv6"] == 64 + (60 + 10) * 8 * 50 / 1000
    assert size(Demand(100)).wire == pytest.approx(9.52)


def test_disk_is_what_is_recorded() -> None:
    mono, stereo = size(Demand(1, hours=24)), size(Demand(1, stereo=True, hours=24))
    assert (mono.hour, stereo.hour) == (57_600_000, 115_200_000)
    assert (mono.day, mono.month) == (1_382_400_000, 41_472_000_000)
    half = size(Demand(10, recorded=0.5, hours=2, retention=90))
    assert half.kept == 10 * 0.5 * 57_600_000 * 2 * 90
    assert half.disk == half.kept * 1.25


def test_the_export_takes_what_the_link_allows() -> None:
    sizing = size(Demand(1, hours=10, link=10))
    assert sizing.export == pytest.approx(576e6 * 8 / 8e6 / 3600)
    assert size(Demand(1, recorded=0)).export == 0


@pytest.mark.parametrize(
    ("ports", "row"), [(1, 0), (30, 0), (31, 1), (60, 1), (61, 2), (120, 2), (121, 3), (240, 3), (241, 3), (481, 3)]
)
def test_the_row_is_the_first_that_has_as_many_ports(ports: int, row: int) -> None:
    sizing = size(Demand(ports))
    assert sizing.published is TABLE[row]
    assert sizing.servers * sizing.ports_each >= ports
    assert sizing.ports_each <= 240


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("ports", [row.ports for row in TABLE])
def test_each_machine_has_what_is_asked(codec: str, ports: int) -> None:
    sizing = size(Demand(ports, codec))
    assert set(sizing.clouds) == set(CLOUDS)
    for provider, name in sizing.clouds.items():
        (machine,) = (one for one in CLOUDS[provider] if one.name == name)
        assert machine.cores >= sizing.cores
        assert machine.memory >= sizing.memory


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ports": 0}, "ports is from 1 to 100000, not 0"),
        ({"recorded": float("nan")}, "recorded is from 0 to 1, not nan"),
        ({"recorded": 1.5}, "recorded is from 0 to 1, not 1.5"),
        ({"hours": 25}, "hours is from 0 to 24, not 25"),
        ({"link": 0}, "link is from 0.1 to 1e+06, not 0"),
        ({"codec": "GSM"}, "codec is one of PCMA, PCMU, G722, G729, OPUS, not 'GSM'"),
    ],
)
def test_what_cannot_be_is_refused(wrong, said) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        Demand(**{"ports": 30, **wrong})
