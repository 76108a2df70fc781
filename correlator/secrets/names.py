"""Which names of fields, parameters and headers tell that their value is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["", "weak", "strong", "whole", "authorization", "cookie"]
"""`weak`: secret in an address, and elsewhere if the value looks random. `whole`: whatever the value is."""

# Names of nothing but secrets, whatever stands before them: accessToken, csrf_token, DB_PASSWORD, connect.sid.
STRONG: Final = re.compile(
    r".*(?:token|secrets?|passwd|passwords?|passphrase|passcode|api_?key|private_?key|access_?key(?:_?id)?|credentials?|jwt)"
    r"(?:_?(?:confirm(?:ation|ed)?|repeat(?:ed)?|again|new|old|hash|value|\d+))?"
    r"|(?:.*_)?(?:pwd|sid|session_?id|phpsessid|jsessionid|saml_?(?:request|response))"
)
WHOLE: Final = re.compile(r"(?:.*_)?(?:otp|pin|pin_?code|cvv2?|cvc2?|card_?number)")
# Words of every day too: an error's code, a pressed key.
WEAK: Final = re.compile(
    r"(?:.*_)?(?:key|auth|session|sig|signature|code|code_?verifier|pass|assertion|ticket)"
)
ORDINARY: Final = re.compile(
    r"(?:.*_)?(?:country|currency|language|lang|locale|area|zip|postal|post|region|error|status|exit|reason|item|colou?r)_?code"
    r"|(?:.*_)?(?:sort|primary|foreign|partition|cache|query|row|item|public)_?key"
)
AUTHORIZATION: Final = re.compile(r"(?:.*_)?authorization")
COOKIE: Final = re.compile(r"(?:.*_)?cookies?")
KINDS: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (AUTHORIZATION, "authorization"),
    (COOKIE, "cookie"),
    (ORDINARY, ""),
    (WHOLE, "whole"),
    (STRONG, "strong"),
    (WEAK, "weak"),
)
WORDS: Final = (
    "token|secret|passw|passp|passc|pass|api.?key|key|credential|jwt|pwd|sid|sess|saml|otp|pin|cvv|cvc|card.?number"
    "|auth|sig|code|assertion|ticket|cookie"
)
"""One of these is in every name above."""

CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
# What is left of an encoded quote or ampersand before a name: `%22token%22`, `%2526token%253D`, `\u0022token\u0022`.
ENCODED: Final = re.compile(r"(?:25)*+(?:2[0-9A-Fa-f]|3[BFbf]|5[Bb]|7[Bb])|u00[0-9a-fA-F]{2}")
MAX_NAME_CHARS: Final = 200


def words_of(name: str) -> str:
    """`accessToken`, `Access-Token` and `access.token` are all `access_token`."""
    return SEPARATORS.sub("_", CAMEL.sub("_", name).lower()).strip("_")


class Names:
    """The built-in names, and those that somebody adds: they hide whatever they hold, alone or as the last words of a name."""

    def __init__(self, added: Iterable[str] = ()) -> None:
        self._added = tuple(words_of(name) for name in added)
        self._glued = frozenset(name.replace("_", "") for name in self._added)
        self.kind = lru_cache(4096)(self._kind)

    @property
    def trigger(self) -> str:
        """An RE2 expression that is found in every name that says something."""
        return "|".join([WORDS, *("[^a-z0-9]*".join(name) for name in sorted(self._glued))])

    def kind_at(self, text: str, start: int, name: str) -> Kind:
        """What a name says that stands in a text, perhaps with the rest of an encoded character before it."""
        if text[start - 1 : start] in ("%", "\\") and (found := ENCODED.match(name)):
            name = name[found.end() :]
        return self.kind(name[-MAX_NAME_CHARS:])

    def _kind(self, name: str) -> Kind:
        words = words_of(name)
        if words.replace("_", "") in self._glued or any(words.endswith(f"_{one}") for one in self._added):
            return "whole"
        for pattern, kind in KINDS:
            if pattern.fullmatch(words):
                return kind
        return ""
