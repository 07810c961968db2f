"""``fsivr apikey``: keys to the API, made, listed and revoked."""

from __future__ import annotations

import click

from fsivr.cli.commands import config_option
from fsivr.cli.output import console, plain

_ROLES = ("read", "operate", "admin")


@click.group(name="apikey", no_args_is_help=False)
def command() -> None:
    """Keys to the API: create, list, revoke."""


@command.command(name="create")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What it may do; each includes those before.")
@config_option
def create(name: str, role: str, config: str | None) -> None:
    """Make a key, and print it this once: the key alone on standard output."""
    from fsivr.cli.archives import open_store, operator
    from fsivr.config import load

    with open_store(load(config), create=True) as store:
        try:
            key = store.keys.create(name, role, by=operator())
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    click.echo(key)
    console(stderr=True).print(
        f"The key of {name}, role {role}. It is shown this once: only a hash of it is kept.", style="dim"
    )


@command.command(name="list")
@config_option
def list_(config: str | None) -> None:
    """List the keys, the oldest first, those that were revoked included; times in UTC."""
    from rich.text import Text

    from fsivr.cli.archives import open_store
    from fsivr.cli.recorded import print_table
    from fsivr.config import load

    with open_store(load(config)) as store:
        keys = store.keys.all()
    if not keys:
        console().print("no keys", style="dim")
        return
    rows = []
    for key in keys:
        style = "" if key.revoked is None else "dim"
        told = (key.name, key.role, f"{key.created:%Y-%m-%d %H:%M}", key.created_by)
        ended = "" if key.revoked is None else f"{key.revoked:%Y-%m-%d %H:%M}"
        rows.append([Text(plain(text), style=style) for text in (*told, ended)])
    print_table(console(), ("Name", "Role", "Created", "By", "Revoked"), rows)


@command.command(name="revoke")
@click.argument("name")
@config_option
def revoke(name: str, config: str | None) -> None:
    """End a key: nobody gets in with it any more, from now on."""
    from fsivr.cli.archives import open_store, operator
    from fsivr.config import load
    from fsivr.errors import FsivrError

    with open_store(load(config)) as store:
        if not store.keys.revoke(name, by=operator()):
            raise FsivrError(f"there is no key named {name!r} that is in force")
    console().print(f"the key of {name} is revoked")
