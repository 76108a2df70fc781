"""Secrets of addresses that no parameter names: user and password, and paths that are keys themselves."""

from __future__ import annotations

import re
from typing import Final

from .fields import looks_random
from .rule import HIDDEN, Rule

SLASHES: Final = r":(?:\\*+/){2}"
PLAIN_INFO: Final = re.compile(rf"({SLASHES})[^/\s@?#\"'<>\\]++@")
# One that was cut before its @: a password, unless it could be a port.
CUT_INFO: Final = re.compile(rf"({SLASHES}[^/\s@?#\"'<>\\:…]*+:)(?!\d{{0,5}}…)[^/\s@?#\"'<>\\…]*+…")
# Where passwords are written as they are, with a slash or a question mark in them.
DATABASES: Final = (
    "postgres(?:ql)?|cockroachdb|mysql|mariadb|mssql|sqlserver|oracle|mongodb|rediss?|valkey|amqps?|kafka|nats|clickhouse"
    "|neo4j|bolt|ldaps?|smtps?|imaps?|s?ftps?|ssh"
)
DATABASE_INFO: Final = re.compile(
    rf"\b((?:{DATABASES})(?:\+\w++)?{SLASHES})(?:[^\s@\"'<>]*+@)++", re.IGNORECASE
)
CUT_DATABASE_INFO: Final = re.compile(
    rf"\b((?:{DATABASES})(?:\+\w++)?{SLASHES}[^\s\"'<>@:/]*+:)(?!\d{{1,5}}(?:[^\w@:]|\Z))(?!\*)[^\s\"'<>@]++(?!@)",
    re.IGNORECASE,
)
ENCODED_INFO: Final = re.compile(
    r"(%(?:25)*+3A(?:%(?:25)*+2F){2})(?:[^\s\"'&#<>%]|%(?!(?:25)*+(?:2F|40)))*+%(?:25)*+40", re.IGNORECASE
)

HOOKS: Final = re.compile(
    r"((?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks|api\.telegram\.org"
    r"|\.webhook\.office\.com/webhookb2)/)[^\s\"'<>?#]++",
    re.IGNORECASE,
)
DOORS: Final = re.compile(
    r"(/(?:[\w-]*(?:token|password|magic|invit|verif|confirm|unsubscribe)[\w-]*|reset|activate)/)([\w.~=…-]{16,})",
    re.IGNORECASE,
)


def hide_user_info(text: str) -> str:
    text = DATABASE_INFO.sub(rf"\g<1>{HIDDEN}@", text)
    text = CUT_DATABASE_INFO.sub(rf"\g<1>{HIDDEN}", text)
    text = PLAIN_INFO.sub(rf"\g<1>{HIDDEN}@", text)
    text = CUT_INFO.sub(rf"\g<1>{HIDDEN}", text)
    return ENCODED_INFO.sub(rf"\g<1>{HIDDEN}%40", text)


def hide_paths(text: str) -> str:
    text = HOOKS.sub(rf"\g<1>{HIDDEN}", text)
    return DOORS.sub(lambda found: found[1] + (HIDDEN if looks_random(found[2]) else found[2]), text)


USER_INFO: Final = Rule(
    r"(?i):(?:\\*/){2}\S*(?:@|:[^\d\s]|…)|:(?:\\*/){2}[^/\s]*:\d{6}|%3A%(?:25)*2F.*%(?:25)*40", hide_user_info
)
PATHS: Final = Rule(
    r"(?i)slack\.com/|discord(?:app)?\.com/|telegram\.org/|office\.com/"
    r"|/[\w-]*(?:token|password|magic|invit|verif|confirm|unsubscribe|reset|activate)[\w-]*/",
    hide_paths,
)
