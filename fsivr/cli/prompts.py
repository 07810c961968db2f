"""``fsivr prompts``: build sound files from the catalogue, check them, and print the studio script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from fsivr.cli.commands import config_option, dialplan_option
from fsivr.cli.output import console
from fsivr.errors import ConfigError

if TYPE_CHECKING:
    from fsivr.cli.prompting import Workshop
    from fsivr.prompts.checked import Finding


@click.group(name="prompts", no_args_is_help=False)
def command() -> None:
    """The prompts of the dialplan's handlers: build, check, script."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that each of the commands has."""
    for option in (
        config_option,
        dialplan_option,
        click.option("--sounds", metavar="FOLDER", help="The sound files; prompts_path, or sounds by the catalogue."),
        click.option("--catalogue", metavar="FILE", help="The catalogue; prompts.toml beside the dialplan's module."),
        click.option("--language", "languages", multiple=True, metavar="LANGUAGE", help="Only this one; repeatable."),
    ):
        function = option(function)
    return function


@command.command(name="build")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_options
def build(names: tuple[str, ...], **options: Any) -> None:
    """Make the sound files that are missing, with espeak-ng.

    The files of a NAME are made anew, also where there are some.
    """
    from fsivr.prompts.espeak import render

    workshop = _workshop(**options)
    _refuse_unknown(workshop, names)
    built = 0
    screen = console()
    for language in workshop.languages:
        for name, texts in workshop.catalogue.texts.items():
            path = workshop.shelf.place(name, language)
            wanted = name in names if names else workshop.shelf.find(name, language) is None
            if wanted and language in texts:
                sound = render(texts[language], language, path)
                screen.print(Text.assemble(f"{language} ", (name, "bold"), f": {sound.seconds:.1f} s, {path}"))
                built += 1
    screen.print(f"{_counted(built, 'sound file')} built in {workshop.shelf.folder}")
    if not workshop.prompts_path:
        screen.print(f"To have them played, set prompts_path to {workshop.shelf.folder.resolve()}")


@command.command(name="check")
@_options
@click.pass_context
def check(context: click.Context, /, **options: Any) -> None:
    """Find what is wrong with the prompts that handlers play.

    Missing on disk or in the catalogue, of a wrong rate, with several channels,
    silent, clipped; for each language. The exit code is 1 where something is.
    """
    from fsivr.prompts.checked import check as everything

    workshop = _workshop(**options)
    found = everything(
        workshop.catalogue, workshop.uses, workshop.shelf, workshop.languages, workshop.fallback_languages
    )
    screen = console()
    for finding in found:
        screen.print(_told(finding), soft_wrap=True)
    wrong = sum(finding.wrong for finding in found)
    screen.print(
        f"{_counted(len(workshop.catalogue.texts), 'prompt')} in {', '.join(workshop.languages)}: "
        f"{_counted(wrong, 'fault')}, {_counted(len(found) - wrong, 'remark')}"
    )
    if wrong:
        context.exit(1)


@command.command(name="script")
@click.option("--plain", is_flag=True, help="Language, name and text parted by tabs, instead of Markdown.")
@_options
def script(plain: bool, **options: Any) -> None:
    """Print what a speaker reads in the studio, by language and application."""
    from fsivr.prompts import script as printed

    workshop = _workshop(**options)
    parts = printed.parts(workshop.catalogue, workshop.uses, workshop.sources, workshop.languages)
    for line in printed.plain(parts) if plain else printed.markdown(parts):
        click.echo(line)


def _workshop(**options: Any) -> Workshop:
    from fsivr.cli.prompting import open_workshop

    return open_workshop(**options)


def _refuse_unknown(workshop: Workshop, names: Iterable[str]) -> None:
    for name in names:
        if name not in workshop.catalogue.texts:
            raise ConfigError(f"there is no prompt {name} in {workshop.catalogue.path}")


def _told(finding: Finding) -> Text:
    mark = Text("fault", style="bold red") if finding.wrong else Text("remark", style="dim")
    language = f" {finding.language}" if finding.language else ""
    return Text.assemble(mark, f"{language} ", (finding.name, "bold"), f" {finding.what}")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
