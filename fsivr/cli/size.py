"""``fsivr size``: the machine, the network and the disk that so many ports need."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from fsivr.cli.output import console
from fsivr.sizing import CODECS, DIFFERENCES, MONO, PUBLISHED_HOUR, STEREO, Demand, Sizing, size

_MB, _WIDTH = 1e6, 14


@click.command(name="size")
@click.option("--ports", type=int, default=120, show_default=True, help="How many calls may be up at once.")
@click.option("--codec", type=click.Choice(list(CODECS), case_sensitive=False), default="PCMA", show_default=True)
@click.option("--recorded", type=float, default=1.0, show_default=True, help="The part of the calls' time, 0 to 1.")
@click.option("--stereo", is_flag=True, help="Each side of the call is recorded on a channel of its own.")
@click.option("--hours", type=float, default=8.0, show_default=True, help="Hours a day with every port in use.")
@click.option("--retention", type=int, default=30, show_default=True, help="Days that recordings are kept here.")
@click.option("--link", type=float, default=100.0, show_default=True, help="Mbit/s to where they are exported.")
@click.option("--srtp", is_flag=True, help="The sound is encrypted.")
@click.option("--ipv6", is_flag=True, help="Over IPv6.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(as_json: bool, **demand: Any) -> None:
    """Say what server, network and disk so many ports need."""
    try:
        sizing = size(Demand(**demand))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(sizing), "published": sizing.published._asdict()}, indent=2))
        return
    _print(console(), sizing)


def _print(screen: Console, sizing: Sizing) -> None:
    demand, row = sizing.demand, sizing.published
    _head(screen, f"{demand.ports} ports, {demand.codec}")
    count = "one" if sizing.servers == 1 else f"{sizing.servers}, with {sizing.ports_each} ports each"
    _line(screen, "servers", count)
    _line(screen, "each", f"{sizing.cores} cores, {sizing.memory} GiB, class {sizing.size}")
    _line(screen, "published", f"{row.published}, for up to {row.ports} ports")
    for provider, machine in sizing.clouds.items():
        _line(screen, provider, machine)
    _line(screen, "codec", CODECS[demand.codec].advice)
    _head(screen, "bandwidth of a call, each way")
    for layer, kbits in sizing.layers.items():
        _line(screen, layer, f"{kbits:g} kbit/s")
    _line(screen, "all calls", f"{sizing.wire:.1f} Mbit/s each way on the wire")
    _print_disk(screen, sizing)
    _head(screen, "where this differs from what is published, and why")
    for difference in DIFFERENCES:
        screen.print(Text(f"- {difference}"))


def _print_disk(screen: Console, sizing: Sizing) -> None:
    demand = sizing.demand
    _head(screen, f"recordings, {demand.recorded:.0%} of the time, {'stereo' if demand.stereo else 'mono'}")
    each = f"{MONO * 3600 / _MB:g} MB mono, {STEREO * 3600 / _MB:g} MB stereo"
    _line(screen, "a call's hour", f"{each}; published: {PUBLISHED_HOUR / _MB:g} MB")
    _line(screen, "an hour", _bytes(sizing.hour))
    _line(screen, "a day", f"{_bytes(sizing.day)}, of {demand.hours:g} busy hours")
    _line(screen, "a month", _bytes(sizing.month))
    _line(screen, "kept", f"{_bytes(sizing.kept)}, of {demand.retention} days: have a disk of {_bytes(sizing.disk)}")
    warning = "" if sizing.export <= 24 else ", which is more than a day has: take a faster link"
    _line(screen, "export", f"{_duration(sizing.export)} a day at {demand.link:g} Mbit/s{warning}")


def _head(screen: Console, text: str) -> None:
    screen.print(Text(text, style="bold"))


def _line(screen: Console, name: str, value: str) -> None:
    screen.print(Text.assemble("  ", (f"{name:<{_WIDTH}}", "dim"), value))


def _bytes(number: int) -> str:
    for unit, size_of in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size_of:
            return f"{number / size_of:.3g} {unit}" if number < 999.5 * size_of else f"{number / size_of:,.0f} {unit}"
    return f"{number / 1e6:.3g} MB"


def _duration(hours: float) -> str:
    minutes = math.ceil(hours * 60)
    return f"{minutes} min" if minutes < 120 else f"{hours:.1f} h"
