"""Secrets go, whatever they are written in; what a reader needs to understand an error stays."""

from __future__ import annotations

import pickle
import time

import pytest

from firstcause.correlator.redact import (
    BUILT_IN,
    HIDDEN,
    MAX_CHARS,
    PatternRefused,
    Redactor,
    redact_text,
    redact_url,
)
from firstcause.correlator.secrets import built_in
from firstcause.correlator.secrets.names import Names
from firstcause.observer.domains.network import RequestSent
from firstcause.observer.domains.page_script import FrameScript, LongFrame
from firstcause.observer.domains.runtime import ConsoleCalled
from firstcause.observer.signal import StackFrame

from .signals import only, signal

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
    "npm_CANARY0123456789abcdef",
    "-----BEGIN RSA PRIVATE KEY----- MIIECANARY -----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\nMIIECANARY CANARY",
    # addresses in addresses, and what is encoded in them
    "https://a.test/?next=https%253A%252F%252Fb%252F%253Ftoken%253DCANARY%2526x%253D1",
    "https://a.test/?to=https%3A%2F%2Fuser%3ACANARY%40b.test%2Fx",
    "https://a.test/?body=%7B%22token%22%3A%22CANARY%22%7D",
    "https://a.test/?user%5Bpassword%5D=CANARY&user[password]=CANARY",
    "https://a.test/?password=it's(CANARY)",
    "https://a.test/reset-password/CANARYabc123",
    "https://hooks.slack.com/services/T0/B0/CANARY",
    "https:\\/\\/user:CANARY@a.test\\/x",
    "postgres://u:p/CANARY?x#y@h/db",
    "mongodb+srv://u:CANARY@h/db",
    "jdbc:postgresql://u:CANARY@h/db",
    # quotations in quotations
    '{"a":"{\\"password\\":\\"it \\\\\\"CANARY\\\\\\" CANARY\\"}"}',
    '{\\\\\\"password\\\\\\":\\\\\\"CANARY\\\\\\"}',
    "&quot;token&quot;:&quot;CANARY&quot;",
    "\\u0022token\\u0022:\\u0022CANARY\\u0022",
    "<wsse:Password>CANARY x</wsse:Password>",
    # objects as Chrome shows them
    "{user: ann, password: correct horse CANARY, more CANARY, page: 2}",
    "Map(1) {'authorization' => 'Bearer CANARY'}",
    'credentials: {"user":"u","x":{"y":"CANARY"}}',
    '"secrets": ["CANARY", "CANARY"]',
    '[{"name":"password","value":"CANARY"}]',
    "{name: x-auth-token, value: CANARY}",
    # headers and commands
    'Authorization: Digest username="CANARY", realm="x", response="CANARY"',
    "Authorization: AWS4-HMAC-SHA256 Credential=CANARY/2026/us, SignedHeaders=host, Signature=CANARY",
    "Authorization: CANARY undefined",
    "Proxy-Authorization: Basic CANARY",
    "curl -u ann:CANARY https://a.test",
    "curl --user 'ann:CANARY two' -b 'id=CANARY' https://a.test",
    "Server=x;Password=CANARY;Database=y",
    # what was cut
    "eyJhbGciOiJI…CANARY",
    "Bearer CANARY…",
    "ghp_CANARY…",
    "https://user:paCANARY…",
    "postgres://ann:CANARY/",
    '{"password":"CANARY and…',
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_goes(text: str) -> None:
    shown = redact_text(text.replace("CANARY", SECRET))
    assert "CANARY" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
    ],
)
def test_a_card_or_account_goes(number: str) -> None:
    assert redact_text(f"paid with {number} today") == f"paid with {HIDDEN} today"


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
        "Authorization: Bearer undefined",
        "Authorization: null",
        "if (token == null || token > 5) std::token::parse",
        "Warning: max_tokens=4096",
        "locale sk-SK is unknown",
        'input[name="password"] no longer matches anything',
        "https://a.test:8080/@ann/verify/email",
        "/api/cart?countryCode=DE&sortKey=name",
        "postgres://db.test:5432/shop",
        "order 4111111111111112 took 1764000000000 ms",
        "0.5555555555555556 and 4.111111111111111",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 of AE12BD34EF56AB78CD90AE12BD34EF56",
        "blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact_text(text) == text


def test_it_is_stable() -> None:
    for text in TEXTS:
        once = redact_text(text.replace("CANARY", SECRET))
        assert redact_text(once) == once


HOSTILE = (
    *(
        "a",
        "a.",
        "token",
        "key=",
        "%3F",
        '\\"',
        'password:"',
        "eyJ.",
        "-",
        "://",
        "key:'",
        "key='…",
        "token=[",
        "{token: ",
    ),
    *(
        "token: a, ",
        "%2522key%2522%3A",
        "&code=",
        "redis://a@",
        "%3A%2F%2F",
        "-----BEGIN PRIVATE KEY",
        "sk-…",
        "4111 ",
    ),
    *(
        "DE89 3704 ",
        'curl -u "',
        "bearer a1",
        "/token-",
        "<token>",
        "name: token, value: ",
        'Authorization: a="',
    ),
    *("cookie: a=b; ", "token  = ", 'token:"\\\\', "auth=", "a:|key=", "=>|Key", "…", " ", "[name=key]"),
)


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("redactor", [BUILT_IN, Redactor(("customer_id",), (r"ID-\d{8}",), True)])
def test_no_text_takes_long(part: str, redactor: Redactor) -> None:
    text = (part * 2000)[:2000]
    start = time.process_time()
    redactor.text(text)
    assert time.process_time() - start < 0.2, "grows with a power of the text's length"


def test_only_so_much_of_a_text_is_looked_at() -> None:
    assert len(redact_text("a" * 1_000_000)) == MAX_CHARS
    assert SECRET not in redact_text("a " * (MAX_CHARS // 2 - 10) + f"password={SECRET}")


def test_a_trigger_is_in_every_text_that_its_rule_changes() -> None:
    for text in TEXTS:
        spoilt = text.replace("CANARY", SECRET)
        by_all = spoilt
        for rule in built_in(Names()):
            by_all = rule.hide(by_all)
        assert redact_text(spoilt) == by_all


def test_of_a_data_address_only_its_type_stays() -> None:
    assert redact_url("data:text/html;charset=utf-8,<p>hello") == "data:text/html;charset=utf-8,…"


def test_half_a_character_is_no_way_around() -> None:
    assert redact_text(f"\ud800 password={SECRET}") == f"\ud800 password={HIDDEN}"


# The rules of a user's own


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("customer_id=x", "customer_id=***"),
        ("customerId: 'a b'", "customerId: '***'"),
        ('{"Customer-Id":"x"}', '{"Customer-Id":"***"}'),
        ("?the.customer_id=7&page=2", "?the.customer_id=***&page=2"),
        ("CUSTOMERID=x", "CUSTOMERID=***"),
        ("{customer_id: 12}", "{customer_id: ***}"),
    ],
)
def test_a_name_of_ones_own_hides_whatever_it_holds(text: str, shown: str) -> None:
    assert Redactor(names=("customer_id",)).text(text) == shown
    assert redact_text(text) == text


def test_a_name_of_ones_own_is_no_part_of_a_word() -> None:
    assert Redactor(names=("id",)).text("void=x, grid: 2, userId=7") == f"void=x, grid: 2, userId={HIDDEN}"


def test_a_pattern_of_ones_own_hides_what_it_matches() -> None:
    redactor = Redactor(patterns=(r"ID-\d{8}", "(?i)project [a-z]+"))
    assert redactor.text("ID-12345678 in Project Falcon") == f"{HIDDEN} in {HIDDEN}"
    assert redactor.text("x " * 150 + "ID-1234…") == "x " * 150 + "…"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [("(a", "missing \\)"), ("a*", "empty"), ("a" * 1001, "1000"), (r"(a)\1", "invalid escape")],
)
def test_a_pattern_that_can_be_none_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternRefused, match=reason):
        Redactor(patterns=(pattern,))


def test_mail_addresses_go_on_request_only() -> None:
    text = "mail ann.b+c@mail.a.test or ann%40a.test, see https://a.test/@ann"
    assert redact_text(text) == text
    assert Redactor(emails=True).text(text) == f"mail {HIDDEN} or {HIDDEN}, see https://a.test/@ann"


def test_a_redactor_is_a_value() -> None:
    redactor = Redactor(("a",), ("b",), True)
    assert redactor == Redactor(("a",), ("b",), True) != BUILT_IN
    assert pickle.loads(pickle.dumps(redactor)).text("a=1 b") == f"a={HIDDEN} {HIDDEN}"
    assert redactor.adds_rules
    assert not BUILT_IN.adds_rules


# Fields, events, signals


def test_fields_are_hidden_by_name_at_any_depth() -> None:
    assert BUILT_IN.fields(
        {"a": [{"password": ["x"], "code": "E_FAIL", "pin": 7421, "token": None, "ok": True}]}
    ) == {"a": [{"password": HIDDEN, "code": "E_FAIL", "pin": HIDDEN, "token": None, "ok": True}]}
    assert BUILT_IN.fields({"name": "Cookie", "value": "x"}) == {"name": "Cookie", "value": HIDDEN}
    assert BUILT_IN.fields({"name": "Accept", "value": "x"}) == {"name": "Accept", "value": "x"}


def test_an_event_without_secrets_is_the_same_event() -> None:
    event = only(signal(ConsoleCalled("error", "no stock")))
    assert BUILT_IN.event(event) is event


def test_an_event_is_redacted_by_the_users_rules_too() -> None:
    event = only(signal(ConsoleCalled("error", "no stock of ID-12345678")))
    assert Redactor(patterns=(r"ID-\d+",)).event(event).summary == f"no stock of {HIDDEN}"


def test_all_texts_of_a_signal_are_redacted_and_its_ids_stay() -> None:
    frame = StackFrame("f", f"http://a/x.js?token={SECRET}", 3, 9)
    script = FrameScript(f"password={SECRET}", url=f"http://a/?sig={SECRET}", duration_ms=5)
    one = signal(
        LongFrame(9, scripts=(script,)),
        request_id="4111111111111111",
        stack=(frame,),
        element=f"token={SECRET}",
    )
    redacted = BUILT_IN.signal(one)
    assert SECRET not in repr(redacted)
    assert redacted.request_id == one.request_id
    assert isinstance(redacted.detail, LongFrame)
    assert redacted.detail.scripts[0] == FrameScript(
        f"password={HIDDEN}", url=f"http://a/?sig={HIDDEN}", duration_ms=5
    )
    assert redacted.stack == (StackFrame("f", f"http://a/x.js?token={HIDDEN}", 3, 9),)
    plain = signal(RequestSent("GET", "http://a/x", "Fetch"))
    assert BUILT_IN.signal(plain) == plain
