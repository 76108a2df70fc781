"""What names one incarnation of the journal."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits


def new_epoch() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(10))
