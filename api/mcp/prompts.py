"""Prompts: how to go about three common tasks with these tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    description: str
    arguments: Mapping[str, str]
    text: str
    """With each argument's place in braces."""

    def filled(self, given: Mapping[str, str]) -> str:
        """What was not given is left for the model to find out."""
        return self.text.format_map(
            {name: given.get(name, "") or f"(ask for the {name})" for name in self.arguments}
        )


PROMPTS: Final = (
    Prompt(
        "debug_page",
        "Watch a page and find the first cause of what goes wrong on it",
        {"url": "The page to open"},
        'Debug {url}. 1. observe {{"open":"{url}"}}. 2. Use the page, telling each step before by publish '
        '{{"kind":"step",…}}. 3. Call wait_for_events in a loop with the cursor of the last answer. 4. For each chain of severity '
        "high or critical call explain with its id; trust steps of .8 and more, and say which are only likely. 5. Report the first "
        "cause with its place in the sources, not the last symptom, and what to change.",
    ),
    Prompt(
        "heal_selector",
        "Find what a broken selector should be now",
        {"selector": "The selector that does not work any more"},
        'The selector {selector} is broken. 1. observe {{"what":"events","channels":["selectors"]}} lists what broke and what was found '
        "instead. 2. explain the event: was the element removed or renamed, or did a failure before keep it from appearing? 3. Where "
        "a failure kept it away, report that failure and leave the selector. 4. Else propose the candidate that was found, prefer a "
        'test id or a role over a position, and watch it: configure {{"action":"selectors","selectors":["…"]}}.',
    ),
    Prompt(
        "explain_failure",
        "Explain one failure from its first cause",
        {"id": "The id of an event or a chain; the worst one if there is none"},
        'Explain {id}. Without an id take the first of observe {{"what":"chains"}}. Call explain, then observe '
        '{{"what":"event"}} for the steps whose fields matter. Say in three sentences what began it, how that led to the failure and how '
        "sure each link is; then where to look.",
    ),
)
BY_NAME: Final = {prompt.name: prompt for prompt in PROMPTS}
