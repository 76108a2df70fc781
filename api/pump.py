"""Carries the frames of one client's subscriptions to its transport, and holds none back: what can't be sent yet is not made yet."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Protocol

from .errors import DuplicateSubscription, TooMany, UnknownSubscription
from .hub import Hub
from .subscription import Subscription
from .wire import Subscribe


class Sink(Protocol):
    """A client's connection."""

    def write(self, frames: Sequence[bytes]) -> bool:
        """Take them all, without waiting; whether there is room for more."""
        ...

    async def room(self) -> None:
        """Return when there is room; raises when there is none for too long."""
        ...


class Pump:
    """A reader of the hub with any number of subscriptions. `say` puts an answer between the frames, in order.

    News go straight to the sink where it has room: waking a task for each client is most of what a delivery would cost.
    """

    def __init__(self, hub: Hub, default_project: str = "default", max_subscriptions: int = 32) -> None:
        self._hub = hub
        self._default_project = default_project
        self._max_subscriptions = max_subscriptions
        self._subscriptions: dict[int, Subscription] = {}
        self._answers: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = math.inf
        self._quiet_until_s = -math.inf
        self._idle_sink: Sink | None = None
        self._has_room = True

    def subscribe(self, spec: Subscribe) -> Subscription:
        if spec.id in self._subscriptions:
            raise DuplicateSubscription(
                f"There is a subscription {spec.id} already.",
                "Give the new one another id, or unsubscribe the old.",
            )
        if len(self._subscriptions) >= self._max_subscriptions:
            raise TooMany(
                f"A connection has {self._max_subscriptions} subscriptions at most.", "Unsubscribe one first."
            )
        subscription = self._hub.subscribe(spec, self, self._default_project)
        self._subscriptions[spec.id] = subscription
        self.wake()
        return subscription

    def unsubscribe(self, sub: int) -> Subscription:
        subscription = self.subscription(sub)
        del self._subscriptions[sub]
        self._hub.unsubscribe(subscription, self)
        return subscription

    def subscription(self, sub: int) -> Subscription:
        found = self._subscriptions.get(sub)
        if found is None:
            has = ", ".join(map(str, self._subscriptions)) or "none yet"
            raise UnknownSubscription(f"There is no subscription {sub}.", f"This connection has: {has}.")
        return found

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        return tuple(self._subscriptions.values())

    def say(self, answer: bytes) -> None:
        self._answers.append(answer)
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    def nudge(self, now_s: float, *, urgent: bool) -> None:
        """News in one of the projects."""
        if not urgent and self._quiet_until_s > now_s:
            self._wake_at(self._quiet_until_s, now_s)
        elif self._idle_sink is None or self._woken.is_set():
            self._woken.set()
        elif (frames := self.take()) and not self._idle_sink.write(frames):
            self._has_room = False
            self._woken.set()
        elif self._timer is None or not all(one.is_settled for one in self._subscriptions.values()):
            # Some of it may wait for its interval, or for a token, and nothing else would wake the task for that.
            self._wake_at(self._due_s(now_s), now_s)

    def take(self) -> list[bytes]:
        """Whatever is due now."""
        self._woken.clear()
        now_s = self._hub.clock()
        frames, self._answers = self._answers, []
        quiet_until_s = math.inf
        for subscription in self._subscriptions.values():
            frames += subscription.take(now_s)
            quiet_until_s = min(quiet_until_s, subscription.quiet_until_s)
        self._quiet_until_s = quiet_until_s
        return frames

    async def wait(self) -> None:
        """Until something may be due."""
        if not self._woken.is_set():
            now_s = self._hub.clock()
            self._wake_at(self._due_s(now_s), now_s)
            await self._woken.wait()

    def _due_s(self, now_s: float) -> float:
        return min(
            (subscription.due_s(now_s) for subscription in self._subscriptions.values()), default=math.inf
        )

    async def run(self, sink: Sink) -> None:
        """Send what is due for ever; while there is no room at the client nothing is piled up."""
        while True:
            if not self._has_room:
                await sink.room()
                self._has_room = True
            if frames := self.take():
                self._has_room = sink.write(frames)
            if self._has_room:
                self._idle_sink = sink
                try:
                    await self.wait()
                finally:
                    self._idle_sink = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for sub in list(self._subscriptions):
            self.unsubscribe(sub)

    def _wake_at(self, due_s: float, now_s: float) -> None:
        """A timer that rings too early is left alone: that costs less than setting it anew with every frame."""
        if due_s < self._timer_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_s = due_s
            self._timer = self._loop.call_later(max(0.0, due_s - now_s), self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_s = None, math.inf
        self.wake()
