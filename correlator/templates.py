"""What stays the same when a message or an address is repeated with other values; two of one template are one problem."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

VARIABLE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # uuid
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"  # hex with a digit in it, or it is a word
    r"|(?<![A-Za-z_\d])\d+(?:\.\d+)?",  # number; the 2 of v2 is part of a name
    re.IGNORECASE,
)


DIGIT = re.compile(r"\d")


def template_of(text: str) -> str:
    line = text.partition("\n")[0]
    return VARIABLE.sub("#", line) if DIGIT.search(line) else line


@lru_cache(8_192)
def fingerprint_of(*parts: str) -> str:
    return blake2b("\0".join(template_of(part) for part in parts).encode(), digest_size=4).hexdigest()
