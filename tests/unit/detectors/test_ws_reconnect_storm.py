"""Five short connections one after the other are a storm; long ones, side by side, of other pages or the user's are not."""

from __future__ import annotations

import pytest

from firstcause.correlator.detectors.ws_reconnect_storm import WsReconnectStorm
from firstcause.observer.domains.network import SocketClosed, SocketFailed, SocketOpened

from ..flows import STEP_S, at
from .traffic import Traffic, of_kind

URL = "ws://shop.test/live/kiln"


def opened(story: Traffic, url: str = URL) -> str:
    story.requests += 1
    request_id = f"W{story.page}{story.requests}"
    story.signal(SocketOpened(url), request_id=request_id, stack=(at("connectKiln", 7),))
    return request_id


def closed(story: Traffic, request_id: str, lived_s: float, url: str = URL) -> Traffic:
    return story.signal(SocketClosed(url, lived_s * 1_000), request_id=request_id)


def connect(
    story: Traffic, times: int = 1, lived_s: float = 0.2, pause_s: float = 0.4, url: str = URL
) -> Traffic:
    for _ in range(times):
        request_id = opened(story, url)
        story.wait(lived_s - STEP_S)
        closed(story, request_id, lived_s, url).wait(pause_s - STEP_S)
    return story


def test_the_end_of_the_fifth_short_connection_tells() -> None:
    story = connect(Traffic(WsReconnectStorm), 4)
    assert story.found == []
    connect(story)
    [storm], first = story.found, of_kind(story.events, "websocket_closed")[0]
    assert (storm.channel, storm.severity, storm.count) == ("anomalies", "high", 5)
    assert storm.summary == f"WebSocket {URL} was opened 5 times in 2.6 s, and none lived longer than 200 ms"
    assert storm.context == {
        "url": URL,
        "window_ms": 2_600,
        "lived_ms": 200,
        "gaps_ms": [400, 400, 400, 400],
        "at": "app.js:7:5 connectKiln",
    }
    assert storm.cause is not None
    assert (storm.cause.id, storm.cause.via) == (first.id, "counted")


def test_connections_that_never_come_about_count_and_name_the_first_failure() -> None:
    story = Traffic(WsReconnectStorm)
    for _ in range(5):
        request_id = opened(story)
        story.wait(0.1).signal(SocketFailed(URL, "net::ERR_CONNECTION_REFUSED"), request_id=request_id)
        closed(story, request_id, 0).wait(0.5)
    [storm], first = story.found, of_kind(story.events, "websocket_failed")[0]
    assert storm.summary.endswith("and none came about")
    assert storm.cause is not None
    assert storm.cause.id == first.id


@pytest.mark.parametrize(("lived_s", "many"), [(4.99, 1), (5.0, 0)])
def test_one_that_lasts_five_seconds_is_no_part_of_it(lived_s: float, many: int) -> None:
    assert len(connect(Traffic(WsReconnectStorm), 5, lived_s).found) == many


def test_a_lasting_one_ends_the_storm() -> None:
    story = connect(connect(connect(Traffic(WsReconnectStorm), 4), 1, lived_s=6), 4)
    assert story.found == []


@pytest.mark.parametrize(("pause_s", "many"), [(7.2, 1), (7.4, 0)])
def test_within_half_a_minute(pause_s: float, many: int) -> None:
    assert len(connect(Traffic(WsReconnectStorm), 5, pause_s=pause_s).found) == many


def test_sockets_side_by_side_are_no_reconnections() -> None:
    story = Traffic(WsReconnectStorm)
    together = [opened(story) for _ in range(6)]
    story.wait(0.05)
    for request_id in together:
        closed(story, request_id, 0.06)
    assert story.found == []
    spread = [opened(story.wait(0.2)) for _ in range(6)]
    for request_id in spread:
        closed(story, request_id, 1)
    assert story.found == []


def test_one_that_is_replaced_before_its_end_is_told_counts() -> None:
    story = Traffic(WsReconnectStorm)
    request_id = opened(story)
    for _ in range(5):
        story.wait(0.3)
        newer = opened(story)
        closed(story, request_id, 0.3)
        request_id = newer
    assert len(story.found) == 1


def test_ids_in_the_address_do_not_matter_unless_the_user_goes_from_one_to_the_next() -> None:
    by_itself, by_hand = Traffic(WsReconnectStorm), Traffic(WsReconnectStorm)
    for number in range(5):
        connect(by_itself, url=f"ws://shop.test/room/{number}?token=t{number}")
        by_hand.act(f"#room{number}")
        connect(by_hand, url=f"ws://shop.test/room/{number}")
    assert [storm.context["url"] for storm in by_itself.found] == ["ws://shop.test/room/{int}?token="]
    assert by_hand.found == []


def test_the_user_may_click_meanwhile() -> None:
    story = Traffic(WsReconnectStorm)
    for _ in range(5):
        story.act("#buy")
        connect(story)
    assert len(story.found) == 1


def test_documents_and_pages_are_kept_apart() -> None:
    one = connect(Traffic(WsReconnectStorm), 4)
    connect(one.navigate("L2"), 4)
    other = connect(Traffic(WsReconnectStorm, engine=one.engine, page="p2"), 4)
    assert one.found + other.found == []


def test_it_is_told_again_when_it_is_ten_times_as_large() -> None:
    story = connect(Traffic(WsReconnectStorm), 52, lived_s=0.1, pause_s=0.2)
    assert [storm.count for storm in story.found] == [5, 50]
    assert story.found[1].context["repeats"] == story.found[0].id


def test_the_end_of_one_whose_beginning_was_not_seen_tells_nothing() -> None:
    story = Traffic(WsReconnectStorm)
    for number in range(6):
        closed(story, f"W{number}", 0.1)
    assert story.found == []


def test_the_thresholds_can_be_chosen() -> None:
    assert len(connect(Traffic(WsReconnectStorm, connections=2), 2).found) == 1
    assert connect(Traffic(WsReconnectStorm, lived_s=0.1), 9).found == []
    assert connect(Traffic(WsReconnectStorm, within_s=1), 9).found == []
