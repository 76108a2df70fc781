"""Numbers that are money: payment cards and bank accounts, known by their form and their check digits."""

from __future__ import annotations

import re
from typing import Final

from .rule import HIDDEN, Rule

# As people write them: in one piece, or in groups. Part of a decimal fraction or of a longer word is none.
CARD: Final = re.compile(
    r"(?<![\w.])(?:(?:4\d|5[1-5]|2[2-7]|35|6[0245])\d\d([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d\d([ -]?)\d{6}\2\d{5})(?![\w-]|\.\d)"
)
ACCOUNT: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,29}+|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])"
)
ACCOUNTS_OF: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 "
    "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MC27 MD24 ME22 "
    "MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 XK20"
)
ACCOUNT_CHARS: Final = {entry[:2]: int(entry[2:]) for entry in ACCOUNTS_OF.split()}
"""How long the account numbers of a country are."""


# Of one that was cut nobody can tell what it was.
CUT: Final = re.compile(r"(?<![\w.])(?:\d[\d -]{6,30}|[A-Z]{2}\d{2}[A-Z0-9 ]{4,30})…")


def hide_cards(text: str) -> str:
    return CARD.sub(lambda found: HIDDEN if is_card(found[0]) else found[0], text)


def is_card(number: str) -> bool:
    """By Luhn."""
    digits = [int(char) for char in number if char.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def hide_cut(text: str) -> str:
    return CUT.sub(f"{HIDDEN}…", text)


def hide_accounts(text: str) -> str:
    return ACCOUNT.sub(lambda found: HIDDEN if is_account(found[0]) else found[0], text)


def is_account(number: str) -> bool:
    """By ISO 7064: what is left is 1."""
    packed = number.replace(" ", "")
    if len(packed) != ACCOUNT_CHARS.get(packed[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in packed[4:] + packed[:4])) % 97 == 1


CARDS: Final = Rule(r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b|\b3[47]\d{2}[ -]?\d{6}[ -]?\d{5}\b", hide_cards)
ACCOUNTS: Final = Rule(r"\b[A-Z]{2}\d{2} ?[A-Z0-9]{4}", hide_accounts)
CUTS: Final = Rule(r"[\d -]{7}…|[A-Z]{2}\d{2}[A-Z0-9 ]{4,30}…", hide_cut)
