"""Whatever happens to a connection, a ring or the server: every event that matches is told once, counted to be fetched, or missed by number."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstcause.correlator.event import SEVERITIES, Channel

from .streams import WISHES, Client, World

CHANNELS: tuple[Channel, ...] = ("errors", "network_errors", "performance")
THROTTLES_MS = (0, 0, 200, 1000, 1000, 3_600_000)
EXAMPLES = int(os.environ.get("EXAMPLES", "100"))  # 20,000 take half an hour

channel = st.sampled_from(CHANNELS)
some_channels = st.lists(channel, max_size=3)
wished = st.sampled_from(WISHES)
throttle_ms = st.sampled_from(THROTTLES_MS)
client = st.integers(0, 2)
fields = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["js_error", "http_404", "http_500", "slow"]),
        "context": st.sampled_from(
            [{}, {"url": "http://shop.test/api/cart"}, {"url": "http://shop.test/analytics"}]
        ),
        "correlation_id": st.sampled_from([None, "c1", "c2"]),
    }
)
severity = st.sampled_from(SEVERITIES)
severities = st.one_of(
    st.lists(severity, min_size=1, max_size=3),
    st.tuples(severity, severity, st.integers(1, 40)).map(lambda drawn: [drawn[0], drawn[1]] * drawn[2]),
    st.integers(100, 260).map(lambda count: ["info"] * count),
)
steps = {
    "publish": (12, st.tuples(channel, severities, fields)),
    "wait": (6, st.tuples(st.sampled_from([0.001, 0.1, 0.3, 1.0, 5.0, 20.0]))),
    "connect": (4, st.tuples(client, st.lists(channel, min_size=1, max_size=4), wished, throttle_ms)),
    "drop": (2, st.tuples(client, st.sampled_from([0, 1, 2, None]))),
    "stall": (2, st.tuples(client, st.booleans())),
    "mute": (2, st.tuples(client, some_channels, st.booleans())),
    "update": (2, st.tuples(client, wished, throttle_ms)),
    "pressure": (1, st.tuples(st.sampled_from([False, False, True]))),
    "trim": (1, st.tuples(channel, st.integers(0, 10))),
    "forget": (1, st.tuples(channel, st.integers(1, 40))),
    "restart": (
        1,
        st.tuples(
            st.dictionaries(channel, st.integers(1, 30), max_size=2), st.sampled_from([False, False, True])
        ),
    ),
}
names = [name for name, (weight, _) in steps.items() for _ in range(weight)]
step = st.sampled_from(names).flatmap(lambda name: steps[name][1].map(lambda drawn: (name, *drawn)))


def happen(world: World, clients: list[Client], what: tuple[Any, ...]) -> None:
    match what:
        case ("publish", into, of, given):
            world.publish(into, of, **given)
        case ("wait", seconds):
            world.now_s += seconds
        case ("connect", number, channels, wish, interval_ms):
            clients[number].drop(None)
            clients[number].connect(channels, wish, interval_ms)
        case ("drop", number, got):
            clients[number].drop(got)
        case ("stall", number, stalled):
            clients[number].stalled = stalled
        case ("mute", number, channels, muted) if clients[number].subscription:
            clients[number].mute(channels, muted=muted)
        case ("update", number, wish, interval_ms) if clients[number].subscription:
            clients[number].update(wish, interval_ms)
        case ("pressure", short):
            world.hub.digest_only = short
        case ("trim", of, events):
            world.log.rings[of].trim(events, 1e9, cause="pressure")
        case ("forget", of, count):
            world.journal.forget(world.key(of), count)
        case ("restart", lost, anew):
            for one in clients:
                one.drop(1)
            world.restart(lost, anew=anew)
        case _:
            pass


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    ring_events=st.sampled_from([3, 40, 1000]),
    inline_events=st.sampled_from([1, 5, 20]),
    steps=st.lists(step, min_size=20, max_size=80),
)
def test_nothing_is_told_twice_and_nothing_is_missed_in_silence(ring_events, inline_events, steps):
    world = World(ring_events=ring_events, inline_events=inline_events)
    clients = [Client(world) for _ in range(3)]
    for one, interval_ms in zip(clients, (0, 200, 1000), strict=True):
        one.connect(CHANNELS, WISHES[0], interval_ms)
    for what in steps:
        happen(world, clients, what)
        for one in clients:
            one.take()
    for one in clients:
        if one.subscription is None:
            one.connect(CHANNELS, WISHES[0], 0)
        one.finish()
