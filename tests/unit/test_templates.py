"""A problem keeps its fingerprint when only numbers and ids differ, and shares it with no other."""

from __future__ import annotations

import pytest

from firstcause.correlator.templates import address_template, fingerprint_of, template_of


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("order 4711 failed after 12.5 ms", "order # failed after # ms"),
        ("user 0b5b1c66-8c5f-4a5e-9f3a-2f1f0c0d9e8b is gone", "user # is gone"),
        ("chunk 9f3c1a7b.js", "chunk #.js"),
        ("chunk 9F3C1A7BDEADBEEF", "chunk #"),
        ("/api/v2/users/42", "/api/v2/users/#"),
        ("utf8 and h264 are names", "utf8 and h264 are names"),
        ("the facade decade deadbeef", "the facade decade deadbeef"),
        ("first line\nat cart.js:88", "first line"),
        ("", ""),
    ],
)
def test_what_varies_is_left_open(text: str, template: str) -> None:
    assert template_of(text) == template


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 1 failed", "order 999 failed"),
        ("took 1.5 s", "took 20 s"),
        (
            "GET /u/0b5b1c66-8c5f-4a5e-9f3a-2f1f0c0d9e8b 404",
            "GET /u/7d1f0c0d-1c66-4a5e-9f3a-8c5f9e8b2f1f 404",
        ),
        ("chunk 9f3c1a7b", "chunk 0123456789abcdef0"),
        ("/a/1/b/2", "/a/3/b/4"),
    ],
)
def test_values_do_not_change_a_fingerprint(one: str, other: str) -> None:
    assert fingerprint_of("kind", one) == fingerprint_of("kind", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("http_error", "GET /a 404"), ("http_error", "GET /b 404")),
        (("http_error", "GET /a"), ("request_failed", "GET /a")),
        (("kind", "api v1"), ("kind", "api v2")),
        (("ab", "c"), ("a", "bc")),
    ],
)
def test_other_problems_have_other_fingerprints(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert fingerprint_of(*one) != fingerprint_of(*other)


@pytest.mark.parametrize(
    ("url", "template"),
    [
        (
            "http://s.test/users/42/orders/0b5b1c66-8c5f-4a5e-9f3a-2f1f0c0d9e8b?b=1&a=2&a=3",
            "http://s.test/users/{int}/orders/{uuid}?a=&b=",
        ),
        ("/a/v1/x9/9f3c1a7b.js", "/a/v1/x9/{hex}.js"),
        ("/img/photo-12.png#top", "/img/photo-{int}.png"),
        ("/x/12345678901", "/x/{int}"),
        ("/deadbeefcafe/facade", "/deadbeefcafe/facade"),
        ("//cdn.test/7", "//cdn.test/{int}"),
        ("mailto:ann@shop.test", "mailto:ann@shop.test"),
        ("data:image/png;base64,AAAA", "data:image"),
        ("http://[x", "http://[x"),
        ("/?", "/"),
        ("", ""),
    ],
)
def test_an_address_leaves_its_ids_open(url: str, template: str) -> None:
    assert address_template(url) == template


def test_an_address_without_an_end_gets_one() -> None:
    assert len(address_template("/a" * 10_000)) < 100


def test_a_fingerprint_is_eight_hex_digits_and_never_changes() -> None:
    assert fingerprint_of("uncaught_exception", "cart.js saveCart") == "4912d2a1"
