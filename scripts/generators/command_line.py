"""Makes docs/cli.md: every command of the typer app with its usage, texts, options and exit codes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.main import get_command

PROGRAM = "firstcause"


def command_line() -> str:
    """The page about the product's own command line."""
    from firstcause.api import cli

    return render(cli.app, PROGRAM, getattr(cli, "EXIT_CODES", {}))


def render(app: typer.Typer, program: str, exit_codes: Mapping[int, str]) -> str:
    """One section a command, in the order in which the app lists them."""
    lines = [
        "# Command line",
        "",
        "<!-- Made by `make docs` from the commands themselves: edit those. -->",
    ]
    for context in _contexts(get_command(app), program, None):
        lines += _section(context)
    if exit_codes:
        lines += ["", "## Exit codes", "", "| code | meaning |", "| --- | --- |"]
        lines += [f"| {code} | {_cell(meaning)} |" for code, meaning in sorted(exit_codes.items())]
    return "\n".join(lines) + "\n"


def _contexts(command: Any, name: str, parent: Any) -> Iterator[Any]:
    context = command.context_class(
        command, info_name=name, parent=parent, max_content_width=1000, terminal_width=1000
    )
    yield context
    for child_name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        child = command.get_command(context, child_name)
        if not child.hidden:
            yield from _contexts(child, child_name, context)


def _section(context: Any) -> Iterator[str]:
    command = context.command
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield from ("", f"## `{context.command_path}`", "", f"Usage: `{usage}`")
    if command.help:
        # click marks a paragraph that must keep its lines with \b, and the end of what is shown with \f.
        text = inspect.cleandoc(command.help).partition("\f")[0].replace("\b\n", "")
        yield from ("", text.strip())
    parameters = [
        (parameter.param_type_name, parameter.get_help_record(context))
        for parameter in command.get_params(context)
    ]
    for kind in ("argument", "option"):
        # A hidden parameter has no record.
        records = [record for its_kind, record in parameters if its_kind == kind and record]
        if records:
            yield from ("", f"| {kind} | meaning |", "| --- | --- |")
            yield from (f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in records)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
