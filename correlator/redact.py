"""Takes secrets out of text and addresses before anything leaves the correlator."""

from __future__ import annotations

import re

HIDDEN = "***"
SECRET_NAMES = (
    r"(?:[\w-]*[_-])?(?:access[_-]?token|token|api[_-]?key|apikey|key|secret|passwd|password|pwd|auth|authorization"
    r"|session(?:[_-]?id)?|sid|signature|sig|jwt|code|otp|pin|credential[s]?)"
)
QUERY_SECRET = re.compile(rf"([?&#;]{SECRET_NAMES}=)[^&#;\s\"']+", re.IGNORECASE)
FIELD_SECRET = re.compile(
    rf"(?<![\w-])([\"']?{SECRET_NAMES}[\"']?\s*[:=]\s*[\"']?)(?!\s*[\"']?(?:undefined|null|true|false|\d{{1,3}})\b)[^\s\"',;&}}]+",
    re.IGNORECASE,
)
BEARER = re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@:]+:[^/\s@]*@", re.IGNORECASE)


def redact_url(url: str) -> str:
    return JWT.sub(HIDDEN, QUERY_SECRET.sub(rf"\g<1>{HIDDEN}", USER_INFO.sub(rf"\g<1>{HIDDEN}@", url)))


def redact_text(text: str) -> str:
    text = BEARER.sub(rf"\g<1> {HIDDEN}", redact_url(text))
    return FIELD_SECRET.sub(rf"\g<1>{HIDDEN}", text)
