"""firstcause reporter-path: where the reporter for @playwright/test is."""

from __future__ import annotations

import json

from ..console import AsJson
from ..runner.hooked import REPORTER


def reporter_path(as_json: AsJson = False) -> None:
    """Print where the reporter for @playwright/test is: it tells `run` which test does what, and how it ended.

    Give it to Playwright: firstcause run -- npx playwright test --reporter=list,$(firstcause reporter-path)

    Example:

        firstcause reporter-path
    """
    print(json.dumps({"reporter": str(REPORTER)}) if as_json else REPORTER)
