"""Secrets that are known by how they begin: the tokens of many services, JSON web tokens, private keys."""

from __future__ import annotations

import re
from typing import Final

from .rule import HIDDEN, Rule

# How a token begins, and how many characters follow at least; of one that was cut, by us or by Chrome, any number.
BEGINNINGS: Final[dict[str, int]] = {
    "eyJ": 8,  # JSON in base64: a JSON web token, or what a service made of one
    "gh[pousr]_": 6,
    "github_pat_": 6,
    "glpat-": 8,
    "sk-": 16,
    "[spr]k_(?:live|test)_": 6,
    "whsec_": 8,
    "(?:AKIA|ASIA|ABIA|ACCA)": 12,
    "AIza": 20,
    "ya29\\.": 8,
    "GOCSPX-": 8,
    "xox[abeprs]-": 6,
    "xapp-": 8,
    "npm_": 20,
    "pypi-": 16,
    "SG\\.": 16,
    "SK[0-9a-f]": 31,
    "do[opr]_v1_": 16,
    "shp(?:at|ca|pa|ss)_": 16,
    "dapi[0-9a-f]": 31,
    "hf_": 20,
    "sbp_": 20,
    "lin_api_": 16,
    "sq0(?:atp|csp)-": 16,
    "hv[bs]\\.": 16,
    "AGE-SECRET-KEY-": 8,
}
TOKEN: Final = re.compile(
    "(?<![A-Za-z0-9])(?:"
    + "|".join(rf"{begins}(?:[\w.-]*+…[\w.-]*+|[\w.-]{{{count},}}+)" for begins, count in BEGINNINGS.items())
    + ")"
)
PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN(?:[A-Z0-9 +]|%20){0,40}PRIVATE(?: |\+|%20)KEY(?:(?!-----END).)*+(?:-----END[A-Z0-9 +%]*+-----)?",
    re.DOTALL,
)


def hide_tokens(text: str) -> str:
    return TOKEN.sub(HIDDEN, text)


def hide_private_keys(text: str) -> str:
    return PRIVATE_KEY.sub(HIDDEN, text)


TOKENS: Final = Rule("|".join(BEGINNINGS), hide_tokens)
PRIVATE_KEYS: Final = Rule("-----BEGIN", hide_private_keys)
