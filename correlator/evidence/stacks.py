"""What two stacks say of each other: whether an effect runs on behalf of the call that made a request."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Effect, Request, site_of


def called_for(effect: Effect, flow: Flow) -> Iterator[tuple[Request, bool]]:
    """The requests that the effect's own code made, the latest first, and whether the call itself is in the stack.

    An async function that goes on after its request is alone on the stack, at another place than its call; with async stacks the
    call is there too. A function at one and the same place in both is what called both, a framework's loop for instance.
    """
    signal, seen = effect.signal, set[int]()
    for frame in signal.async_stack:
        for request in flow.requests_at(signal, *site_of(frame)):
            if request is not effect.node and id(request) not in seen:
                seen.add(id(request))
                yield request, True
    if not signal.stack or not (outermost := signal.stack[-1]).function or not outermost.url:
        return
    site, alone = site_of(outermost), len(signal.stack) == 1
    for request in flow.requests_at(signal, outermost.url, outermost.function):
        if request is effect.node or id(request) in seen or (not alone and request.is_called_at(site)):
            continue
        seen.add(id(request))
        yield request, False


def is_called_for(effect: Effect, request: Request, flow: Flow) -> bool:
    return any(one is request for one, _ in called_for(effect, flow))
