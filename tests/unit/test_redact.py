"""Secrets go, whatever they are written in; what a reader needs to understand an error stays."""

from __future__ import annotations

import time

import pytest

from firstcause.correlator.redact import HIDDEN, redact_text, redact_url

SECRET = "s3cr3tCANARYvalue"

TEXTS = [
    # addresses
    "GET https://a.test/x?access_token=CANARY&page=2 failed",
    "https://a.test/x?page=2&api_key=CANARY",
    "https://a.test/x?apikey=CANARY#top",
    "https://a.test/x?code=CANARY&state=1",
    "https://a.test/x?key=CANARY",
    "https://a.test/x?X-Amz-Signature=CANARY",
    "https://a.test/x;jsessionid=CANARY",
    "https://a.test/#access_token=CANARY&expires=3600",
    "https://a.test/login?next=%2Fcallback%3Ftoken%3DCANARY%26page%3D2",
    "https://user:CANARY@a.test/x",
    "https://CANARY@a.test/x",
    "wss://user:CANARY@a.test/x",
    # headers
    "Authorization: Bearer CANARY",
    "authorization: Basic CANARY",
    "Authorization: ApiKey CANARY",
    "{'authorization': 'Bearer CANARY'}",
    "sent Bearer CANARY to the server",
    "Cookie: theme=dark; PHPSESSID=CANARY; lang=en",
    "Set-Cookie: id=CANARY; Path=/; HttpOnly",
    "document.cookie = 'id=CANARY'",
    "X-Api-Key: CANARY",
    "x-csrf-token: CANARY",
    # fields
    "password=CANARY",
    "password: CANARY",
    "the password is wrong: {user: ann, password: CANARY}",
    '{"password":"CANARY"}',
    '{"user":"ann","password": "CANARY"}',
    '{"password":"two words CANARY and more"}',
    '{"password":"a quote \\" and CANARY"}',
    '{\\"password\\":\\"CANARY\\"}',
    "{'client_secret': 'CANARY'}",
    '{"refreshToken":"CANARY"}',
    '{"accessToken":"CANARY"}',
    '{"userPassword":"CANARY"}',
    "DB_PASSWORD=CANARY npm start",
    "sessionId=CANARY",
    "connect.sid=CANARY",
    "session: CANARY",
    "code=CANARY",
    # shapes
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.CANARY",
    "ghp_CANARY0123456789",
    "sk_live_CANARY0123",
    "sk-CANARY0123456789abcdef",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_goes(text: str) -> None:
    shown = redact_text(text.replace("CANARY", SECRET))
    assert "CANARY" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize("url", [text for text in TEXTS if text.startswith(("http", "ws"))])
def test_a_secret_goes_from_an_address(url: str) -> None:
    assert "CANARY" not in redact_url(url.replace("CANARY", SECRET))


@pytest.mark.parametrize(
    "number", ["one-time code: 482913", "otp: 4829", "pin=4829", "https://a.test/?code=482913"]
)
def test_short_numbers_that_open_doors_go(number: str) -> None:
    assert "4829" not in redact_text(number)


def test_what_stands_beside_a_secret_stays() -> None:
    assert (
        redact_text('{"user":"ann","password":"x y","page":2}')
        == f'{{"user":"ann","password":"{HIDDEN}","page":2}}'
    )
    assert redact_url("/x?page=2&token=abc&sort=up#top") == f"/x?page=2&token={HIDDEN}&sort=up#top"
    assert redact_url("https://ann:b@a.test/x") == f"https://{HIDDEN}@a.test/x"
    assert (
        redact_text("Authorization: Bearer abc123def was refused") == f"Authorization: {HIDDEN} was refused"
    )


@pytest.mark.parametrize(
    "text",
    [
        "TypeError: Cannot read properties of undefined (reading 'token')",
        "SyntaxError: Unexpected token '<', \"<!doctype \"... is not valid JSON",
        "SyntaxError: Unexpected token identifier",
        "Unexpected token < in JSON at position 0",
        "token validation failed",
        "Basic authentication is required",
        "bearer authentication failed",
        "AxiosError: Network Error, code: ERR_NETWORK",
        "code: 'ERR_HTTP2_PROTOCOL_ERROR'",
        "code: ECONNREFUSED",
        "WebSocket closed, code: 1006",
        "status code: 404",
        "key: ArrowDown",
        "duplicate key: name",
        'Each child in a list should have a unique "key" prop.',
        "token: undefined",
        '{"token":null,"loggedIn":false}',
        "the session: expired",
        "signature: invalid",
        "PASS: checkout",
        "author: Ann",
        "spinning: yes, passed: 12, keyboard: off",
        "the cookie: none was sent",
        "mail ann@a.test or see https://a.test/@ann",
        "https://a.test/articles/42?page=2&sort=up",
        "https://a.test/monkey?tokens=yes&keyboard=qwertz",
        "cart.js:88:12 saveCart",
        "",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact_text(text) == text


def test_it_is_stable() -> None:
    for text in TEXTS:
        once = redact_text(text.replace("CANARY", SECRET))
        assert redact_text(once).count(SECRET) == 0


@pytest.mark.parametrize("part", ["a", "a.", "token", "key=", "%3F", '\\"', 'password:"', "eyJ.", "-", "://"])
def test_no_text_takes_long(part: str) -> None:
    text = part * (2000 // len(part))
    start = time.process_time()
    redact_text(text)
    assert time.process_time() - start < 2, "grows with a power of the text's length"
