"""docs/settings.md: every setting with its variable, default and meaning."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from firstcause.api.settings import OTHER_VARIABLES, RUNTIME, Settings, variable_of

HEAD = """# Settings

<!-- Made by `make docs` from api/settings.py: edit that. -->

A setting comes from the first of these that has it:

1. a flag of the command line;
2. a variable `FIRSTCAUSE_*` of the environment; an empty one counts as not given. A list is `a, b`, or JSON where a part
   has a comma of its own: `["h1, h2"]`;
3. `firstcause.toml`, or `[tool.firstcause]` in `pyproject.toml`, in the current folder or the nearest one above that has
   either; other folders are not asked then. Relative paths start at the file's folder;
4. the default.

`firstcause config` shows what is in effect, and where each value comes from. A name that does not exist and a value out of
its range are refused, with the place where they stand. Those marked ⟳ can be changed while the server runs.

| setting | variable | default | meaning |
| --- | --- | --- | --- |
"""


def settings() -> str:
    """The whole page."""
    rows = "".join(
        f"| `{name}`{' ⟳' if name in RUNTIME else ''} | `{variable_of(name)}` | {_default(field)} | {_meaning(field)} |\n"
        for name, field in Settings.model_fields.items()
    )
    others = "".join(f"- `{name}`: {meaning}.\n" for name, meaning in OTHER_VARIABLES.items())
    return f"{HEAD}{rows}\n## Variables that are no settings\n\n{others}"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return str(inspect.getdoc(field.default_factory))
    value: Any = field.default
    if isinstance(value, SecretStr) or value in ("", (), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    notes = ", ".join(_rules(field))
    return str(field.description).replace("|", "\\|") + (f" ({notes})" if notes else "")


def _rules(field: FieldInfo) -> Iterator[str]:
    if get_origin(field.annotation) is Literal:
        yield " or ".join(f"`{choice}`" for choice in get_args(field.annotation))
    bounds = {type(rule).__name__: rule for rule in field.metadata}
    if "Ge" in bounds and "Le" in bounds:
        yield f"{bounds['Ge'].ge} to {bounds['Le'].le}"
