"""Takes secrets out of text and addresses before anything leaves the correlator."""

from __future__ import annotations

import re

HIDDEN = "***"
# Names of nothing but secrets, whatever stands before them: accessToken, csrf_token, DB_PASSWORD, connect.sid.
STRONG = (
    r"(?:[\w.-]*(?:token|secret|passwd|password|api[_-]?key|private[_-]?key|access[_-]?key|credentials?|jwt)"
    r"|(?:[\w.-]*[_.-])?(?:pwd|sid|session[_-]?id|phpsessid|jsessionid|otp|pin))"
)
# Words of every day too (an error's code, a pressed key): secret in an address, and in a text if the value looks random.
WEAK = r"(?:[\w.-]*[_.-])?(?:key|auth|authorization|session|sig|signature|code)"
PLAIN = r"(?!(?:undefined|null|none|true|false|\d{1,3})\b|(?-i:E[A-Z0-9_]+)\b)"
RANDOM = (
    r"(?:\d{6,}|(?=[\w.~+/=-]*\d)(?=[\w.~+/=-]*[a-z])[\w.~+/=-]{8,}"
    r"|(?-i:(?=[\w.~+/=-]*[a-z])(?=[\w.~+/=-]*[A-Z]))[\w.~+/=-]{16,})"
)
# A value goes on to its closing quote, or, without one, to where a list or a sentence does.
VALUE = r"(?(2)(?:(?!\2)(?:\\.|.))+|[^\s\"',;&(){}\[\]]+)"
FIELD = r"(?<![\w.-])({name}\\?[\"']?\s*[:=]\s*)(\\?[\"'])?"

QUERY_SECRET = re.compile(rf"([?&#;](?:{STRONG}|{WEAK})=){PLAIN}[^&#;\s\"']+", re.IGNORECASE)
NESTED_SECRET = re.compile(
    rf"(%(?:3F|26|23)(?:{STRONG}|{WEAK})%3D)(?:(?!%26|%23)[^&#;\s\"'])+", re.IGNORECASE
)
STRONG_FIELD = re.compile(FIELD.format(name=STRONG) + PLAIN + VALUE, re.IGNORECASE)
WEAK_FIELD = re.compile(FIELD.format(name=WEAK) + PLAIN + RANDOM, re.IGNORECASE)
AUTHORIZATION = re.compile(
    r"(\bauthorization\\?[\"']?\s*:\s*\\?[\"']?)(?:[a-z][\w-]*\s+)?[^\s\"',;]{4,}", re.IGNORECASE
)
COOKIE = re.compile(
    r"(\b(?:set-)?cookie\\?[\"']?\s*[:=]\s*\\?[\"']?)[\w.-]+=[^\s\"';]*(?:;\s*[^\s\"';]+)*", re.IGNORECASE
)
SCHEME = re.compile(
    rf"\b((?-i:Bearer))\s+[\w.~+/=-]{{16,}}|\b(Bearer|Basic|Token)\s+{RANDOM}[\w.~+/=-]*", re.IGNORECASE
)
SHAPES = re.compile(
    r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JSON web token
    r"|\b(?:gh[pousr]_\w{16,}|sk-[\w-]{16,}|[spr]k_(?:live|test)_\w{8,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|xox[abprs]-[\w-]{8,})"
)
USER_INFO = re.compile(r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://)[^/\s@?#]+@", re.IGNORECASE)


def redact_url(url: str) -> str:
    url = USER_INFO.sub(rf"\g<1>{HIDDEN}@", url)
    url = NESTED_SECRET.sub(rf"\g<1>{HIDDEN}", QUERY_SECRET.sub(rf"\g<1>{HIDDEN}", url))
    return SHAPES.sub(HIDDEN, url)


def redact_text(text: str) -> str:
    text = AUTHORIZATION.sub(rf"\g<1>{HIDDEN}", redact_url(text))
    text = COOKIE.sub(rf"\g<1>{HIDDEN}", text)
    text = SCHEME.sub(lambda found: f"{found[1] or found[2]} {HIDDEN}", text)
    text = STRONG_FIELD.sub(rf"\g<1>\g<2>{HIDDEN}", text)
    return WEAK_FIELD.sub(rf"\g<1>\g<2>{HIDDEN}", text)
