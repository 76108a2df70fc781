"""What a filter wants: literals, stars, RE2 expressions; what it refuses, and with which words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.errors import BadFilter
from firstcause.api.filters import MAX_PATTERNS, Filter, compiled
from firstcause.api.ring import Entry
from firstcause.api.wire import Patterns
from firstcause.correlator.event import SEVERITIES

from .streams import entry

NONE = Patterns()


def include(**patterns: Any) -> Filter:
    return compiled(Patterns(**patterns), NONE, "info")


def exclude(**patterns: Any) -> Filter:
    return compiled(NONE, Patterns(**patterns), "info")


def wants(filter_: Filter, one: Entry) -> bool:
    return filter_.of([one]) == [one]


def at(url: str) -> Entry:
    return entry(context={"url": url})


def test_without_patterns_everything_is_wanted():
    entries = [entry(seq) for seq in (1, 2)]
    assert compiled(NONE, NONE, "info").of(entries) == entries


@pytest.mark.parametrize("field", ["url", "text", "selector"])
def test_plain_text_is_found_anywhere_in_what_is_long(field):
    long = {"url": "/api/cart", "text": "cart", "selector": "art"}[field]
    one = entry(context={"url": "http://shop.test/api/cart?id=1", "selector": "#cart > li"})
    assert wants(include(**{field: [long]}), one)
    assert not wants(include(**{field: ["Cart"]}), one)
    assert not wants(include(**{field: ["nowhere"]}), one)


@pytest.mark.parametrize(("field", "value"), [("kind", "http_404"), ("page", "p12"), ("severity", "high")])
def test_plain_text_is_the_whole_of_what_is_short(field, value):
    one = entry(kind="http_404", severity="high", page="p12")
    assert wants(include(**{field: [value]}), one)
    if field != "severity":
        assert not wants(include(**{field: [value[:-1]]}), one)
        assert not wants(include(**{field: [value[1:]]}), one)


@pytest.mark.parametrize(
    ("pattern", "kind", "wanted"),
    [
        ("http_*", "http_404", True),
        ("http_*", "xhttp_404", False),
        ("*_404", "http_404", True),
        ("*_40", "http_404", False),
        ("h*4*4", "http_404", True),
        ("*", "anything", True),
        ("**", "anything", True),
        ("http.404*", "http_404", False),
        ("/^http/", "http_404", True),
        ("/40/", "http_404", True),
        ("/^40/", "http_404", False),
        ("/", "/", True),
        ("//", "//", True),
        ("/HTTP/", "http_404", False),
        ("/(?i)HTTP/", "http_404", True),
    ],
)
def test_stars_and_expressions_in_what_is_short(pattern, kind, wanted):
    assert wants(include(kind=[pattern]), entry(kind=kind)) is wanted


@pytest.mark.parametrize(
    ("pattern", "url", "wanted"),
    [
        ("/api/*/items", "http://shop.test/api/v2/items?x", True),
        ("/api/*/items", "http://shop.test/api/items", False),
        ("a.b", "http://a.b/", True),
        ("a.b", "http://axb/", False),
        ("a.b*", "http://axb/", False),
        ("*", "", True),
        (r"/\/api\/v\d+\//", "http://shop.test/api/v12/x", True),
        (r"/\/api\/v\d+\//", "http://shop.test/api/vx/x", False),
        ("/a.c/", "a\nc", True),
        ("a*c", "a\nc", True),
        ("warenkörb*", "http://shop.test/warenkörbe", True),
        ("$1", "http://shop.test/$1", True),
        ("[*]", "[x]", True),
    ],
)
def test_stars_and_expressions_in_what_is_long(pattern, url, wanted):
    assert wants(include(url=[pattern]), at(url)) is wanted


def test_one_pattern_of_a_field_is_enough_and_every_field_must_match():
    filter_ = include(url=["/cart", "/pay"], kind=["http_*"])
    assert wants(filter_, entry(kind="http_500", context={"url": "/pay"}))
    assert not wants(filter_, entry(kind="http_500", context={"url": "/home"}))
    assert not wants(filter_, entry(kind="js_error", context={"url": "/pay"}))


def test_what_one_excluded_pattern_matches_is_not_wanted():
    filter_ = compiled(Patterns(url=["/cart"]), Patterns(kind=["slow"], text=["/debug$/"]), "info")
    assert wants(filter_, at("/cart"))
    assert not wants(filter_, entry(kind="slow", context={"url": "/cart"}))
    assert not wants(filter_, entry(summary="for debug", context={"url": "/cart"}))


def test_a_mix_of_forms_in_one_field():
    filter_ = include(url=["/plain", "/star*x", "/re[0-9]/"])
    assert [wants(filter_, at(url)) for url in ("/plain", "/star1x", "re7", "/other")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("lowest", SEVERITIES)
def test_min_severity_is_the_least_that_is_told(lowest):
    told = [one for one in SEVERITIES if wants(compiled(NONE, NONE, lowest), entry(severity=one))]
    assert told == list(SEVERITIES[: SEVERITIES.index(lowest) + 1])


def test_the_order_stays():
    filter_ = compiled(Patterns(kind=["b*"]), NONE, "info")
    entries = [entry(seq, kind) for seq, kind in enumerate(["b1", "a", "b2", "c", "b3"], 1)]
    assert [one.seq for one in filter_.of(entries)] == [1, 3, 5]


def test_the_same_wish_is_one_filter():
    first = compiled(Patterns(url=["b", "a", "a"]), NONE, "low")
    assert compiled(Patterns(url=["a", "b"]), NONE, "low") is first
    assert compiled(Patterns(url=["a"]), NONE, "low") is not first
    assert compiled(NONE, Patterns(url=["a", "b"]), "low") is not first


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("/(/", "missing )"),
        ("/[z-a]/", "range"),
        (r"/a(?=b)/", "(?="),
        (r"/(a)\1/", r"\1"),
        ("/a**/", "**"),
        ("/a{2000}/", "repetition"),
        ("/((((a{100}){100}){100}){100})/", "repetition"),
    ],
)
def test_an_expression_is_refused_with_the_reason_of_re2(pattern, reason):
    with pytest.raises(BadFilter) as refused:
        include(text=[pattern])
    assert refused.value.code == "bad_filter"
    assert pattern[1:-1] in refused.value.message
    assert reason in refused.value.message
    assert refused.value.hint


def test_expressions_that_are_too_large_together_are_refused():
    with pytest.raises(BadFilter, match="too large together"):
        include(text=[rf"/\pL{{400}}{number}/" for number in range(30)])


def test_a_refusal_is_not_remembered_as_a_filter():
    for _ in range(2):
        with pytest.raises(BadFilter):
            include(text=["/(/"])


def test_there_is_a_most_of_patterns_on_either_side():
    most = [f"p{number}" for number in range(MAX_PATTERNS)]
    compiled(Patterns(url=most), Patterns(url=most), "info")
    for sides in ((Patterns(url=most, text=["x"]), NONE), (NONE, Patterns(url=most, kind=["x"]))):
        with pytest.raises(BadFilter, match=str(MAX_PATTERNS)):
            compiled(*sides, "info")


@pytest.mark.parametrize("pattern", ["/(a+)+$/", "/(a|aa)+$/", "/(.*a){20}$/"])
def test_expressions_that_never_end_elsewhere_are_answered(pattern):
    """A backtracking engine takes longer than the universe lasts for these."""
    assert not wants(include(text=[pattern]), entry(summary="a" * 5000 + "!"))
    assert wants(include(text=[pattern]), entry(summary="!" + "a" * 5000))


@given(
    st.lists(st.text("ab/*.", min_size=1, max_size=6), min_size=1, max_size=4),
    st.text("ab/.\n", max_size=8),
    st.sampled_from(["text", "page"]),
)
def test_stars_are_what_they_are_elsewhere(patterns, value, field):
    patterns = [one for one in patterns if not (len(one) > 2 and one[0] == "/" == one[-1])]
    if not patterns:
        return
    expressions = [".*".join(map(re.escape, one.split("*"))) for one in patterns]
    match = re.fullmatch if field == "page" else re.search
    expected = any(match(expression, value, re.DOTALL) for expression in expressions)
    one = entry(page=value) if field == "page" else entry(summary=value)
    assert wants(include(**{field: patterns}), one) is expected
    assert wants(exclude(**{field: patterns}), one) is not expected


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.sampled_from(["url", "kind"]),
)
def test_any_pattern_is_a_filter_or_refused(pattern, field):
    try:
        filter_ = include(**{field: [pattern]})
    except BadFilter:
        return
    filter_.of([entry(), at(pattern)])
