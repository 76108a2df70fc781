"""The messages of the stream: what is taken, what is refused with which words, and that all go there and back."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.errors import BadFilter, RequestRefused
from firstcause.api.wire import (
    CHANNELS,
    CLOSES,
    DIAGNOSTICS,
    FRAMES,
    OPS,
    Batch,
    Fetch,
    Mute,
    Patterns,
    Ping,
    Pong,
    Publish,
    Subscribe,
    Subscribed,
    Update,
    decode_frame,
    decode_op,
    encode,
    refusal,
    request_id,
)


def test_a_subscription_needs_no_words():
    assert decode_op('{"op":"subscribe"}') == Subscribe()
    assert Subscribe().channels == list(DIAGNOSTICS)
    assert (Subscribe().id, Subscribe().cursor, Subscribe().throttle_ms) == (0, "", msgspec.UNSET)


def test_two_subscriptions_do_not_share_their_channels():
    first, second = decode_op('{"op":"subscribe"}'), decode_op('{"op":"subscribe"}')
    assert isinstance(first, Subscribe)
    assert isinstance(second, Subscribe)
    assert first.channels is not second.channels


def test_all_of_a_subscription():
    said = {
        "op": "subscribe",
        "id": 1,
        "project": "shop",
        "channels": ["errors", "runs"],
        "include": {"url": ["/api/cart"], "kind": ["http_*"], "severity": ["high"]},
        "exclude": {"text": ["/debug$/"]},
        "min_severity": "low",
        "throttle_ms": 0,
        "cursor": "abc.e12",
    }
    assert decode_op(json.dumps(said)) == Subscribe(
        id=1,
        project="shop",
        channels=["errors", "runs"],
        include=Patterns(url=["/api/cart"], kind=["http_*"], severity=["high"]),
        exclude=Patterns(text=["/debug$/"]),
        min_severity="low",
        throttle_ms=0,
        cursor="abc.e12",
    )


def test_the_other_ops():
    assert decode_op(b'{"op":"ping","id":7}') == Ping(id=7)
    assert decode_op('{"op":"mute"}') == Mute()
    assert decode_op('{"op":"fetch","channel":"runs","after":1,"upto":9}') == Fetch(
        channel="runs", after=1, upto=9
    )
    update = decode_op('{"op":"update","sub":3,"throttle_ms":0}')
    assert update == Update(sub=3, throttle_ms=0)
    assert isinstance(update, Update)
    assert update.include is msgspec.UNSET
    publish = decode_op(
        '{"op":"publish","event":{"channel":"runs","kind":"test.failed","summary":"x","context":{"a":[1]}}}'
    )
    assert isinstance(publish, Publish)
    assert (publish.event.severity, publish.event.context) == ("info", {"a": [1]})


def subscribe(**fields: object) -> str:
    return json.dumps({"op": "subscribe", **fields})


def publish(**fields: object) -> str:
    event = {"channel": "errors", "kind": "a", "summary": "s", **fields}
    return json.dumps({"op": "publish", "event": event})


DEEP = "[" * 100_000
REFUSED = {
    "": "bad_json",
    "{": "bad_json",
    "nonsense": "bad_json",
    '{"op":"ping"} {}': "bad_json",
    '{"op":"ping","id":NaN}': "bad_json",
    '{"op":"\\ud800"}': "bad_json",
    '{"op":"ping"': "bad_json",
    '{"op":"nope"': "bad_json",
    '{"op":"nope","id":1,': "bad_json",
    '{"op":"subscribe","channels":["x"]': "bad_json",
    '"\ud800"': "bad_json",
    '{"op":"ping","id":"\ud800"}': "bad_json",
    b'{"op":"ping","id":"\xff"}': "bad_json",
    b'{"op":"subscribe","cursor":"\xff"}': "bad_json",
    b"\xff\xfe": "bad_json",
    b'\xef\xbb\xbf{"op":"ping"}': "bad_json",
    '{"op":"ping","x":' + DEEP + "]" * 100_000 + "}": "bad_json",
    '{"op":"nope","x":' + DEEP: "bad_json",
    '{"op":' + DEEP: "bad_json",
    publish().replace('"summary": "s"', '"summary": "s", "context": {"a": ' + DEEP): "bad_json",
    "null": "bad_field",
    "5": "bad_field",
    "[]": "bad_field",
    '"subscribe"': "bad_field",
    DEEP: "bad_field",
    "{}": "unknown_op",
    '{"op":null}': "unknown_op",
    '{"op":5}': "unknown_op",
    '{"op":["ping"]}': "unknown_op",
    '{"op":' + "[" * 500 + "]" * 500 + "}": "unknown_op",
    '{"op":"Ping"}': "unknown_op",
    '{"op":"' + "x" * 1_000_000 + '"}': "unknown_op",
    '{"op":"subscribed"}': "unknown_op",
    '{"op":"ping","id":-1}': "bad_field",
    '{"op":"ping","id":1.5}': "bad_field",
    '{"op":"ping","id":1e400}': "bad_field",
    '{"op":"ping","id":9007199254740992}': "bad_field",
    '{"op":"ping","id":"1"}': "bad_field",
    '{"op":"ping","idd":1}': "bad_field",
    '{"op":"ping","' + "x" * 1_000_000 + '":1}': "bad_field",
    '{"op":"fetch","after":0,"upto":1}': "bad_field",
    '{"op":"fetch","channel":"errors","after":-1,"upto":1}': "bad_field",
    subscribe(channels=[]): "bad_field",
    subscribe(channels=["console"]): "bad_field",
    subscribe(channels="errors"): "bad_field",
    subscribe(throttle_ms=-1): "bad_field",
    subscribe(throttle_ms=3_600_001): "bad_field",
    subscribe(min_severity="fatal"): "bad_field",
    subscribe(project="../etc"): "bad_field",
    subscribe(project=""): "bad_field",
    subscribe(project="a" * 65): "bad_field",
    subscribe(project="shop\n"): "bad_field",
    subscribe(include={"uri": ["x"]}): "bad_field",
    subscribe(include={"url": "x"}): "bad_field",
    subscribe(include={"url": [""]}): "bad_field",
    subscribe(include={"url": ["x" * 513]}): "bad_field",
    subscribe(include={"severity": ["fatal"]}): "bad_field",
    subscribe(cursor="x" * 513): "bad_field",
    publish(kind="Bad Kind"): "bad_field",
    publish(kind="kind\n"): "bad_field",
    publish(summary=""): "bad_field",
    publish(summary="x" * 2001): "bad_field",
    publish(channel="x"): "bad_field",
    publish(type="x"): "bad_field",
    publish(context=[]): "bad_field",
    publish(more=1): "bad_field",
    '{"op":"publish"}': "bad_field",
}


@pytest.mark.parametrize(("message", "code"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_wrong_is_said_with_a_code_and_what_to_do(message, code):
    with pytest.raises(RequestRefused) as refused:
        decode_op(message)
    error = refused.value
    assert error.code == code
    assert 0 < len(error.message) < 400
    assert 0 < len(error.hint) < 400
    sent = decode_frame(encode(refusal(error, request_id(message))))
    assert sent == refusal(error, request_id(message))


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ('{"op":"subscrbe"}', "Did you mean 'subscribe'?"),
        ('{"op":"zzz"}', "There are: subscribe, unsubscribe"),
        ('{"op":"ping","idd":1}', "Did you mean 'id'?"),
        (subscribe(chanels=["errors"]), "Did you mean 'channels'?"),
        (subscribe(channels=["console"]), ", ".join(CHANNELS)),
        (subscribe(min_severity="fatal"), "critical, high"),
        (subscribe(include={"urls": ["x"]}), "Did you mean 'url'?"),
        (subscribe(exclude={"zzz": ["x"]}), "There are: url, kind"),
        (publish(sumary="x"), "Did you mean 'summary'?"),
        (publish(channel="console"), ", ".join(CHANNELS)),
        ('{"op":"publish","evnt":{}}', "Did you mean 'event'?"),
        ('{"op":"fetch","after":0,"upto":1}', ", ".join(CHANNELS)),
    ],
)
def test_the_hint_names_what_was_meant(message, hint):
    with pytest.raises(RequestRefused) as refused:
        decode_op(message)
    assert hint in refused.value.hint


@given(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=40),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=5), st.floats(), st.sampled_from(CHANNELS)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(
                        ["op", "id", "sub", "channels", "include", "url", "event", "context", "kind"]
                    ),
                    inner,
                ),
            ),
        ).map(json.dumps),
        st.tuples(
            st.sampled_from([str(op.__struct_config__.tag) for op in OPS]),
            st.dictionaries(
                st.sampled_from(
                    ["id", "sub", "channel", "channels", "include", "throttle_ms", "event", "after"]
                ),
                st.one_of(
                    st.none(),
                    st.integers(),
                    st.text(max_size=5),
                    st.just(["errors"]),
                    st.just({"url": ["x"]}),
                ),
            ),
        ).map(lambda said: json.dumps({"op": said[0], **said[1]})),
    ),
    st.integers(0, 60),
)
def test_whatever_is_sent_is_an_op_or_refused(message, cut):
    for said in (message, message[:cut]):
        with suppress(RequestRefused):
            assert isinstance(decode_op(said), OPS)
        found = request_id(said)
        assert found is msgspec.UNSET or 0 <= found < 2**53


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('{"op":"subscribe","id":7,"channels":[5]}', 7),
        ('{"op":"nope","id":3}', 3),
        ('{"op":"ping"}', 0),
        ('{"op":"ping","id":-1}', msgspec.UNSET),
        ('{"op":"ping","id":true}', msgspec.UNSET),
        ('{"op":"ping","id":"7"}', msgspec.UNSET),
        ('{"op":"ping","id":9007199254740992}', msgspec.UNSET),
        ('{"id":7', msgspec.UNSET),
        ("[7]", msgspec.UNSET),
        ('"\ud800"', msgspec.UNSET),
    ],
)
def test_the_id_of_what_was_refused(message, found):
    assert request_id(message) == found


def test_a_refusal_is_a_frame():
    frame = refusal(BadFilter("It can't be compiled.", "Mend it."), 4)
    assert json.loads(encode(frame)) == {
        "op": "error",
        "code": "bad_filter",
        "message": "It can't be compiled.",
        "hint": "Mend it.",
        "id": 4,
    }


def test_an_event_is_in_a_frame_as_it_was_kept():
    line = b'{"id":"e1",  "seq":1}'
    sent = encode(
        Batch(sub=1, channel="errors", prev=0, upto=1, count=1, events=[msgspec.Raw(line)], cursor="a.e1")
    )
    assert line in sent
    got = decode_frame(sent)
    assert isinstance(got, Batch)
    assert bytes(got.events[0]) == line


def test_frames_go_there_and_back():
    for frame in (
        Pong(id=1),
        Subscribed(
            sub=1,
            project="default",
            recovered=True,
            reason="fresh",
            cursor="a.e1",
            positions={"errors": 1},
            throttle_ms=0,
        ),
    ):
        assert decode_frame(encode(frame)) == frame
        assert json.loads(encode(frame))["op"] == frame.__struct_config__.tag


def test_a_name_is_used_once():
    for kinds in (OPS, FRAMES):
        assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)
    assert len({close.code for close in CLOSES}) == len({close.name for close in CLOSES}) == len(CLOSES)
    assert set(DIAGNOSTICS) <= set(CHANNELS)


def test_every_message_says_what_it_is_for():
    assert all(kind.__doc__ for kind in (*OPS, *FRAMES))
