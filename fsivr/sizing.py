"""Sizing: the machine, the network and the disk that so many ports need.

Where a figure was published for servers of this kind it is kept beside ours, with why
ours differs. MB are 10^6 bytes, as disks are sold; memory is in GiB, as machines are.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple


class Codec(NamedTuple):
    """A codec: its bits on the network, and what it costs the switch beside G.711."""

    name: str
    #: Thousands of bits a second of sound, one way.
    kbits: float
    #: Processor time beside G.711's: what it has to be translated to and from is linear sound.
    cost: float
    advice: str


class Layer(NamedTuple):
    """What each packet carries besides sound, up to a layer of the network."""

    name: str
    #: Bytes a packet.
    overhead: int


class Row(NamedTuple):
    """A row of the published table, and ours."""

    ports: int
    published: str
    cores: int
    memory: int
    size: str


class Cloud(NamedTuple):
    """A machine of a provider."""

    name: str
    cores: int
    memory: int


CODECS = {
    codec.name: codec
    for codec in (
        Codec("PCMA", 64, 1.0, "recommended: what carriers deliver, and nearly free to translate"),
        Codec("PCMU", 64, 1.0, "recommended: what carriers deliver, and nearly free to translate"),
        Codec("G722", 64, 1.5, "not recommended: prompts and carriers have 8 kHz, so it only costs processor time"),
        Codec("G729", 8, 2.0, "not recommended: saves bandwidth, costs processor time and the clearness of prompts"),
        Codec("OPUS", 24, 2.5, "not recommended for carriers' calls: each one is translated, at some cost"),
    )
}

#: Packets a second, one way: 20 ms of sound in each.
PACKETS = 50
#: RTP 12 + UDP 8 + IP; Ethernet's header and check 18; preamble and gap 20 more on the wire.
IPV4, IPV6, ETHERNET, WIRE, SRTP = 40, 60, 18, 20, 10

#: The most ports of one server.
MOST_PORTS = 240
TABLE = (
    Row(30, "1-2 cores, 4 GB, S-M", 2, 4, "S"),
    Row(60, "2-4 cores, 8 GB, M", 4, 8, "M"),
    Row(120, "2-4 cores, 16 GB, M-L", 4, 16, "L"),
    Row(240, "6 cores, 32 GB, L", 6, 32, "XL"),
)
CLOUDS = {
    "AWS": (
        Cloud("c7i.large", 2, 4),
        Cloud("c7i.xlarge", 4, 8),
        Cloud("m7i.xlarge", 4, 16),
        Cloud("m7i.2xlarge", 8, 32),
        Cloud("m7i.4xlarge", 16, 64),
    ),
    "Google Cloud": (
        Cloud("n2-standard-2", 2, 8),
        Cloud("n2-standard-4", 4, 16),
        Cloud("n2-standard-8", 8, 32),
        Cloud("n2-standard-16", 16, 64),
    ),
    "Azure": (
        Cloud("F2s_v2", 2, 4),
        Cloud("F4s_v2", 4, 8),
        Cloud("D4s_v5", 4, 16),
        Cloud("D8s_v5", 8, 32),
        Cloud("D16s_v5", 16, 64),
    ),
}

#: Bytes a second that a recording adds: 16 bits, 8000 times a second.
MONO, STEREO = 16_000, 32_000
#: What was published for an hour of a call of two parties in G.711, in bytes.
PUBLISHED_HOUR = 90_000_000
#: The part of a link that an export may count on.
USABLE = 0.8
#: How much more disk than recordings there should be.
SPARE = 1.25

DIFFERENCES = (
    "One core does for 30 ports while nothing else runs: the database, the API and the export ask for a second.",
    "Published classes S, M, L, XL stand for t2.micro to t2.large, which have 1 to 8 GiB and lend their processor "
    "by the hour: beside 4 to 32 GB of the same table that cannot be meant. Named here are machines that have what "
    "the table asks for, with a processor of their own.",
    "6 cores are sold nowhere: 8 it is. A provider's core is one thread, half a core of a machine of one's own.",
    "G.722 was published with 48 kbit/s, its lowest mode: telephones and FreeSWITCH use 64. G.729 was published "
    "with 15: its sound is 8, and 24 with RTP and IP around it.",
    "64 kbit/s of G.711 are its sound alone: with RTP and IP around it 80 go each way.",
    "A recording was published with 90 MB an hour. fsivr writes 16 bit WAV of 8 kHz: 57.6 MB an hour mono, "
    "115.2 stereo.",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the servers.

    :raises ValueError: a number out of its range, or an unknown codec.
    """

    ports: int
    codec: str = "PCMA"
    #: The part of all calls' time that is recorded, from 0 to 1.
    recorded: float = 1.0
    stereo: bool = False
    #: Hours a day for which all ports are in use.
    hours: float = 8.0
    #: Days that recordings are kept on the disk.
    retention: int = 30
    #: The link to where recordings are exported, in Mbit/s.
    link: float = 100.0
    srtp: bool = False
    ipv6: bool = False

    def __post_init__(self) -> None:
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if not least <= value <= most:  # which no NaN is
                raise ValueError(f"{name} is from {least:g} to {most:g}, not {value:g}")
        if self.codec not in CODECS:
            raise ValueError(f"codec is one of {', '.join(CODECS)}, not {self.codec[:40]!r}")


_RANGES = (
    ("ports", 1, 100_000),
    ("recorded", 0.0, 1.0),
    ("hours", 0.0, 24.0),
    ("retention", 1, 36_500),
    ("link", 0.1, 1_000_000.0),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Sizing:
    """What a demand needs."""

    demand: Demand
    #: How many servers, and the ports of each.
    servers: int
    ports_each: int
    #: Of each server: cores, GiB of memory, class; the published row it comes from; machines by provider.
    cores: int
    memory: int
    size: str
    published: Row
    clouds: dict[str, str]
    #: kbit/s of one call one way, by layer; and Mbit/s of all calls one way on the wire.
    layers: dict[str, float]
    wire: float
    #: Bytes of all recordings in an hour, a day, a month of 30 days, and of the whole retention.
    hour: int
    day: int
    month: int
    kept: int
    #: Bytes of disk to have, with room to spare.
    disk: int
    #: Hours that the export of one day takes.
    export: float


def size(demand: Demand) -> Sizing:
    """The servers, the bandwidth, the disk and the export's time that a demand needs."""
    servers = math.ceil(demand.ports / MOST_PORTS)
    each = math.ceil(demand.ports / servers)
    row = next(row for row in TABLE if each <= row.ports)
    cores = math.ceil(row.cores * CODECS[demand.codec].cost)
    layers = {layer.name: _kbits(demand.codec, layer.overhead) for layer in layers_of(demand)}
    hour = round(demand.ports * demand.recorded * 3600 * (STEREO if demand.stereo else MONO))
    day = round(hour * demand.hours)
    return Sizing(
        demand,
        servers,
        each,
        cores,
        row.memory,
        row.size,
        row,
        {provider: _machine(machines, cores, row.memory) for provider, machines in CLOUDS.items()},
        layers,
        max(layers.values()) * demand.ports / 1000,
        hour,
        day,
        day * 30,
        day * demand.retention,
        round(day * demand.retention * SPARE),
        day * 8 / (demand.link * 1e6 * USABLE) / 3600,
    )


def layers_of(demand: Demand) -> tuple[Layer, ...]:
    """The layers of the network, the sound alone first, with what each packet carries besides."""
    ip = (IPV6 if demand.ipv6 else IPV4) + (SRTP if demand.srtp else 0)
    name = f"{'SRTP' if demand.srtp else 'RTP'} over {'IPv6' if demand.ipv6 else 'IPv4'}"
    return (
        Layer("sound", 0),
        Layer(name, ip),
        Layer("Ethernet", ip + ETHERNET),
        Layer("on the wire", ip + ETHERNET + WIRE),
    )


def _kbits(codec: str, overhead: int) -> float:
    return CODECS[codec].kbits + overhead * 8 * PACKETS / 1000


def _machine(machines: tuple[Cloud, ...], cores: int, memory: int) -> str:
    """The smallest machine that has as much."""
    return next((one.name for one in machines if one.cores >= cores and one.memory >= memory), "none that is listed")
