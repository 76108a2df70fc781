"""What can go wrong while observing, as one tree; every error says what to do next.

FirstcauseError
├── UsageError            the request itself is wrong                     bad_url, bad_option
├── BrowserNotFound       no Chromium on this machine                     browser_not_found
├── BrowserStartFailed    a browser was found but does not start          browser_start_failed
├── BrowserUnreachable    nothing that speaks CDP answers at the address  browser_unreachable
├── OutputFailed          the place to write to can't be written          output_failed
└── CommandFailed         one CDP command                                 command_failed
    ├── CommandTimeout    … was not answered in time                      command_timeout
    └── ConnectionLost    … can't be answered: the socket is gone         connection_lost
"""

from __future__ import annotations


class FirstcauseError(Exception):
    """An expected failure: `message` says what happened, `hint` what to do about it, `code` never changes."""

    code = "failed"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(FirstcauseError):
    code = "bad_option"


class BadUrl(UsageError):
    code = "bad_url"


class BrowserNotFound(FirstcauseError):
    code = "browser_not_found"


class BrowserStartFailed(FirstcauseError):
    code = "browser_start_failed"


class BrowserUnreachable(FirstcauseError):
    code = "browser_unreachable"


class OutputFailed(FirstcauseError):
    code = "output_failed"


class CommandFailed(FirstcauseError):
    code = "command_failed"


class CommandTimeout(CommandFailed):
    code = "command_timeout"


class ConnectionLost(CommandFailed):
    code = "connection_lost"
