"""docs/evidence.md: every rule of evidence, as `cause.via` names it."""

from __future__ import annotations

from firstcause.correlator.detectors.detector import REASONS as DETECTED
from firstcause.correlator.evidence import OF_FAILED_TESTS, PUBLISHED, REASONS, RULES, SAME_REQUEST

HEAD = """# Evidence

What `cause.via` of an event says, and why it is believed. The rules are asked in this order; the surest candidate counts, and below
a confidence of 0.5 none does. Made by `make docs` from `correlator/evidence/`; how causes are found is in [causality.md](causality.md).

| via | the cause is believed to be one because |
| --- | --- |
"""


def evidence() -> str:
    order = [SAME_REQUEST, PUBLISHED, *DETECTED, *OF_FAILED_TESTS, *(rule.via for rule in RULES)]
    return HEAD + "".join(f"| `{via}` | {REASONS[via]} |\n" for via in order)
