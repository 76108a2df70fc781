"""Our own log: to stderr, quiet unless asked for."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog

from ..correlator.redact import redact_text

LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
TALKATIVE = ("asyncio", "picows", "uvicorn")  # what they do is a detail
SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=False),
]


class StderrHandler(logging.StreamHandler[TextIO]):
    """Asks for stderr anew with every line: while a status line is on the terminal, rich stands in for it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)


class Redacting(structlog.stdlib.ProcessorFormatter):
    """An error may quote an address with a password in it."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(redact_text, super().format(record).splitlines()))


def configure(verbosity: int) -> None:
    """0 shows warnings, 1 what is being done, 2 everything."""
    level = LEVELS[min(verbosity, len(LEVELS) - 1)]
    handler = StderrHandler(sys.stderr)
    handler.setFormatter(
        Redacting(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # The default takes seconds for one, in the loop, and shows local variables: headers with tokens.
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library in TALKATIVE:
        logging.getLogger(library).setLevel(level if level == logging.DEBUG else logging.WARNING)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
