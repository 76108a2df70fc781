"""A cursor is the place it was made from, and nothing else is a cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.errors import BadCursor
from firstcause.api.position import CHANNEL_OF, LETTERS, Position
from firstcause.api.wire import CHANNELS

seqs = st.dictionaries(st.sampled_from(CHANNELS), st.integers(0, 2**53 - 1))


def test_every_channel_has_a_letter_of_its_own():
    assert set(LETTERS) == set(CHANNELS)
    assert len(CHANNEL_OF) == len(CHANNELS)


@given(epoch=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=40), seqs=seqs)
def test_text_and_back(epoch, seqs):
    position = Position(epoch, seqs)
    assert Position.parse(str(position)) == position
    assert len(str(position)) <= 512


def test_how_it_looks():
    assert str(Position("0ab1", {"errors": 12, "output": 0})) == "0ab1.e12o0"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        ".",
        "abc",
        ".e1",
        "abc.e",
        "abc.1",
        "abc.e01",
        "abc.e-1",
        "abc.e1.n2",
        "abc.e1 ",
        "abc.e1\n",
        "abc.e1e2",
        "abc.z1",
        "abc.e١",
        "ABC.e1",
        "abc.e" + "9" * 17,
        "a" * 41 + ".e1",
        "abc.e1\ud800",
        "start",
        "null",
        "abc.e1" * 10_000,
    ],
)
def test_what_no_server_has_made_is_refused(cursor):
    with pytest.raises(BadCursor) as refused:
        Position.parse(cursor)
    assert refused.value.code == "bad_cursor"
    assert len(refused.value.message) < 200
    assert refused.value.hint


@given(st.text())
def test_any_text_is_a_position_or_refused(text):
    try:
        position = Position.parse(text)
    except BadCursor:
        return
    assert str(position) == text
