"""The server: binds, puts the parts together, serves, and ends so that clients resume where they were."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from ..correlator.event import Event, Severity
from ..observer.errors import FirstcauseError
from .app import new_app
from .auth import Keyring
from .browsers import Browsers, How
from .durations import Durations
from .errors import ServerStartFailed
from .hub import Hub
from .journal import BACKENDS
from .journal.base import ChannelKey, Record
from .journal.keeper import Keeper
from .journal.retention import Retention
from .limits import Connections, Rate
from .observation import Observation
from .origin import check_bind
from .pressure import Pressure
from .protocols import HttpProtocol, WebSocketProtocol
from .publishing import event_of
from .quiet import QuietConfig, QuietServer
from .secret import load_secret
from .service import MB, Service, limits_of
from .settings import Settings
from .wire import Publication

log = logging.getLogger(__name__)

BACKLOG: Final = 4096
PING_S: Final = 20.0
KEEP_ALIVE_S: Final = 75
"""Longer than clients keep an idle connection: the end of one that is just being used again would be an error there."""
START_S: Final = 10.0
LAST_WORDS_S: Final = 1.0
JOURNAL_FILE: Final = "journal.db"
SERVER_FILE: Final = "server.json"


class Server:
    """Serves for the length of the block; `url` is where, `publish` tells an event."""

    def __init__(self, settings: Settings, *, announced: bool = True) -> None:
        """`announced`: clients of this machine find it by its state folder."""
        check_bind(settings.host, settings)
        self.settings = settings
        self.url = ""
        self._announced = announced
        self._secret = settings.token.get_secret_value() or load_secret(settings.state_dir)
        self._notices: list[tuple[str, Severity, str]] = []
        self._started = False
        self._commits = Durations()
        self._hub = self._new_hub()
        self.service = self._new_service()
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def token(self) -> str:
        return self._secret

    def publish(self, event: Event) -> None:
        self._hub.publish(event)

    def observes(self, observation: Observation, how: How, address: str) -> None:
        """List a browser whose events are published here by its owner."""
        self.service.browsers.adopt(observation, how, address, self.settings.project)

    async def __aenter__(self) -> Self:
        listening = listen(self.settings.host, self.settings.port)
        try:
            await self._hub.start()
            self._started = True
            for notice in self._notices:
                self._tell(*notice)
            self.service.port = listening.getsockname()[1]
            host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
            self.url = f"http://{host}:{self.service.port}"
            await self._serve(listening)
        except BaseException:
            listening.close()
            await self._end()
            raise
        if self._announced:
            self._write_address()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.service.browsers.close()
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._started:
            await self._hub.stop()
        self.service.ending.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self.service.alone.wait()
        if self._server is not None and self._serving is not None:
            self._server.end()
            await self._serving
        if self.service.jobs:
            await asyncio.wait(self.service.jobs)
        self._forget_address()

    async def _serve(self, listening: socket.socket) -> None:
        config = QuietConfig(
            new_app(self.service),
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=self.settings.max_body_kb * 1024,
            ws_ping_interval=PING_S,
            ws_ping_timeout=2 * self.settings.stall_s,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._server = QuietServer(config)
        self._serving = asyncio.create_task(self._server.serve([listening]))
        async with asyncio.timeout(START_S):
            while not self._server.started:
                if self._serving.done():
                    self._serving.result()
                    raise ServerStartFailed(
                        "The server ended while it started.", "Run it with -vv to see why."
                    )
                await asyncio.sleep(0.001)

    def _new_hub(self) -> Hub:
        settings = self.settings
        retention = Retention(
            policy=settings.retention,
            max_bytes=settings.journal_max_mb * MB,
            max_events=settings.journal_max_events,
            max_age_s=settings.journal_max_age_h * 3600,
        )
        journal = BACKENDS[settings.journal](settings.state_dir / JOURNAL_FILE, retention)
        keeper = Keeper(journal, self._journal_health, self._missing, self._commits.add)
        return Hub(keeper, limits_of(settings))

    def _new_service(self) -> Service:
        settings = self.settings
        pressure = Pressure(
            self._hub,
            int(settings.memory_budget_mb * MB),
            tell=lambda _, severity, text: self._notice("memory_pressure", severity, text),
            max_age_ms=settings.journal_max_age_h * 3_600_000 if settings.retention == "time" else None,
            trims=settings.retention != "none",
        )
        self._hub.after_group = pressure.look
        return Service(
            settings=settings,
            hub=self._hub,
            keyring=Keyring(self._secret),
            browsers=Browsers(self._take, settings.browser, settings.redactor, settings.detectors),
            pressure=pressure,
            connections=Connections(settings.max_connections),
            commits=self._commits,
            publish_rate=Rate(settings.publish_per_s, settings.publish_per_s),
        )

    def _take(self, event: Event) -> None:
        """From an observer, which must not end because an event finds no place here."""
        try:
            self._hub.publish(event)
        except FirstcauseError as error:
            log.warning("an event was not taken: %s", error)

    def _missing(self, last: Mapping[ChannelKey, int]) -> tuple[list[Record], dict[ChannelKey, int]]:
        return self._hub.held(last)

    def _journal_health(self, problem: str) -> None:
        if problem:
            self._notice("journal_failed", "high", f"Events are kept in memory only: {problem}")
        else:
            self._notice(
                "journal_healed", "info", "Events are kept by the journal again, none is missing there"
            )

    def _notice(self, kind: str, severity: Severity, text: str) -> None:
        if self._started:
            self._tell(kind, severity, text)
        else:
            self._notices.append((kind, severity, text))

    def _tell(self, kind: str, severity: Severity, text: str) -> None:
        notice = Publication(channel="anomalies", kind=kind, severity=severity, summary=text)
        with contextlib.suppress(FirstcauseError):  # the server is ending
            self._hub.publish(event_of(notice, self.settings.project, self.service.session))

    def _write_address(self) -> None:
        """Where clients on this machine look for a server; a server without it still serves."""
        text = json.dumps({"url": self.url, "pid": os.getpid()})
        with contextlib.suppress(OSError):
            self._address_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch = self._address_file.with_suffix(f".{os.getpid()}")
            scratch.write_text(text)
            scratch.replace(self._address_file)

    def _forget_address(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            written: dict[str, Any] = json.loads(self._address_file.read_text())
            if written.get("pid") == os.getpid() and written.get("url") == self.url:
                self._address_file.unlink()

    @property
    def _address_file(self) -> Path:
        return self.settings.state_dir / SERVER_FILE


def listen(host: str, port: int) -> socket.socket:
    """Raises ServerStartFailed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)).lower()
        raise ServerStartFailed(
            f"{host}:{port} can't be listened on: {reason}.",
            "Give --port another number, or 0 for a free one.",
        ) from error
    # asyncio sets it for a connection only where the socket names its protocol, which this way of making one does not; the body of
    # an answer would wait 40 ms for the client to confirm its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
