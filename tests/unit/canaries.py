"""Secrets of a dozen kinds that are put everywhere, to be found nowhere."""

from __future__ import annotations

CORE = "Zq7Xv93kLmW2pR8tY5"
CARD = "4539148803436467"
ACCOUNT = "DE89370400440532013000"
MARKS = (CORE[:6], CARD[:10], ACCOUNT[:12])
"""What must be in no output: even of a secret that was cut these would be left."""

CANARIES: dict[str, str] = {
    "query": f"https://cdn.test/cb?access_token={CORE}&page=2",
    "fragment": f"https://cdn.test/#/cb?id_token={CORE}",
    "nested address": f"https://cdn.test/login?next=https%3A%2F%2Fa.test%2F%3Ftoken%3D{CORE}%26x%3D1",
    "path": f"https://cdn.test/v1/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{CORE}In0.{CORE}/me",
    "user info": f"wss://ann:{CORE}@cdn.test/live",
    "connection string": f"connects to postgres://ann:{CORE}/#{CORE}@db.test/shop",
    "bearer": f"Authorization: Bearer {CORE}",
    "basic": f"{{authorization: 'Basic {CORE}=='}}",
    "cookie": f"Cookie: theme=dark; sid={CORE}; lang=en",
    "set-cookie": f"Set-Cookie: id={CORE}; Path=/; HttpOnly",
    "field": f"password: {CORE}",
    "preview": f"{{user: ann, password: one {CORE}, two {CORE}, page: 2}}",
    "json": f'{{"user":{{"apiKey":"{CORE}"}}}}',
    "json in json": f'{{"body":"{{\\"client_secret\\":\\"a \\\\\\"{CORE}\\\\\\" {CORE}\\"}}"}}',
    "header": f"X-Api-Key: {CORE}",
    "service token": f"ghp_{CORE}{CORE}",
    "cloud key": "AKIA" + CORE.upper() + f" secret_access_key={CORE}",
    "private key": f"-----BEGIN PRIVATE KEY----- MII{CORE} {CORE} -----END PRIVATE KEY-----",
    "curl": f"curl -u ann:{CORE} -H 'Authorization: Token {CORE}' https://a.test",
    "card": f"paid with {CARD}",
    "account": f"paid from {ACCOUNT}",
}


def leaks(text: str | bytes) -> list[str]:
    """The marks that are in a text, whatever their case."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    return [mark for mark in MARKS if mark.lower() in plain.lower()]
