"""What only the failure of a test says about its cause: who runs the test links by it, and here it is told in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "names-url": "the message names its address",
    "page-hang": "the page does not answer",
    "open-dialog": "the dialog is still open",
    "page-crash": "the page has crashed",
    "navigated-away": "the page went there meanwhile",
    "unanswered-request": "the page waited for it when the test failed",
    "cancelled-request": "the last action on the page had made it",
    "only-failure": "nothing else failed on the page",
    "worst-failure": "it is the worst that failed on the page",
}
