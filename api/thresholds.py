"""Thresholds as people write them: `slow_response.after_ms=500`, a table in a file, JSON in a variable; put together by option."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

from ..correlator.detecting import ThresholdRefused, options_of

Table = dict[str, dict[str, bool | int | float]]
Tables = Iterable[Mapping[str, Mapping[str, bool | int | float]]]
SHAPE = 'must be detectors with their options, like {"slow_response": {"after_ms": 500}}'


def written(text: str) -> Table:
    """One as the command line has it. Raises ThresholdRefused."""
    name, equals, value = text.partition("=")
    detector, dot, option = name.strip().partition(".")
    if not equals or not dot:
        raise ThresholdRefused(f"{text} must be like slow_response.after_ms=500")
    try:
        number = json.loads(value.strip())
    except ValueError:
        number = None
    if not isinstance(number, bool | int | float):
        raise ThresholdRefused(f"{text} must end with a number, true or false")
    return {detector: {option: number}}


def table_of(value: object) -> Table:
    """Checked: every detector and option exists, every value is within its bounds. Raises ThresholdRefused."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ThresholdRefused(SHAPE) from None
    if not isinstance(value, Mapping):
        raise ThresholdRefused(SHAPE)
    given = cast("Mapping[str, object]", value)
    if not all(isinstance(options, Mapping) for options in given.values()):
        raise ThresholdRefused(SHAPE)
    table = {name: dict(cast("Mapping[str, bool | float]", options)) for name, options in given.items()}
    options_of(table)
    return table


def merged(tables: Tables) -> Table:
    """A later one wins, option by option."""
    whole: Table = {}
    for table in tables:
        for name, options in table.items():
            whole[name] = {**whole.get(name, {}), **options}
    return whole
