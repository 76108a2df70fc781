"""Long texts hold no secrets either, wherever they are cut into blocks."""

from __future__ import annotations

import pytest

from firstcause.correlator.redact import BUILT_IN, Redactor
from firstcause.correlator.redact_long import BLOCK_CHARS, redact_long

TOKEN = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join("MIIEvQIBADANBgkq" * 4 for _ in range(50))
    + "\n-----END PRIVATE KEY-----"
)
SECRETS = [
    (f'"card": "{TOKEN}"', TOKEN),
    ('{"password":"correct, horse; battery> staple"}', "battery"),
    (KEY, "MIIEvQIBADANBgkq"),
    ("Authorization: Bearer abcdef0123456789abcdef0123456789", "abcdef0123456789"),
]


def test_a_text_without_secrets_stays() -> None:
    for text in ("", "x" * 50_000, "word " * 20_000, "é\n" * 20_000):
        assert redact_long(text, BUILT_IN) == text


@pytest.mark.parametrize(("text", "secret"), SECRETS, ids=["token", "password", "key", "bearer"])
def test_a_secret_on_the_border_of_two_blocks_is_hidden(text: str, secret: str) -> None:
    for filler in ("lorem ipsum ", "x" * 12):
        for shift in range(0, len(text) + 40, 7):
            before = (filler * (BLOCK_CHARS // len(filler) + 1))[: BLOCK_CHARS - shift - 1] + " "
            told = redact_long(f"{before}{text} {filler * 900}", BUILT_IN)
            assert secret not in told
            assert told.startswith(before[:1_000])


def test_one_secret_that_is_longer_than_a_block_is_hidden_whole() -> None:
    key = "-----BEGIN PRIVATE KEY-----" + "MIIEvQIBADANBgkq" * 2_000 + "-----END PRIVATE KEY-----"
    told = redact_long(f"{'lorem ' * 2_000}{key} {'on and ' * 200}on", BUILT_IN)
    assert "MIIEvQIBADANBgkq" not in told
    assert told.endswith("on and on")


def test_names_and_patterns_of_the_settings_count() -> None:
    redactor = Redactor(names=("colour",), patterns=("order-[0-9]+",))
    told = redact_long("lorem ipsum " * 3_000 + '{"colour":"blue"} order-12345', redactor)
    assert "blue" not in told
    assert "12345" not in told
