"""What can go wrong while observing, as one tree; every error says what to do next.

FirstcauseError
├── UsageError            bad_option
│   └── BadUrl            bad_url
├── BrowserNotFound       browser_not_found
├── BrowserStartFailed    browser_start_failed
├── BrowserUnreachable    browser_unreachable
├── OutputFailed          output_failed
├── BadRecording          bad_recording
├── AxeMissing            axe_missing
├── UnknownPage           unknown_page
└── CommandFailed         command_failed
    ├── CommandTimeout    command_timeout
    ├── ConnectionLost    connection_lost
    └── PageBusy          page_busy
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
    """The request itself can't be met: options that exclude each other, or nothing to do."""

    code = "bad_option"


class BadUrl(UsageError):
    """An address that no browser can open, or no DevTools can be reached at."""

    code = "bad_url"


class BrowserNotFound(FirstcauseError):
    """There is no Chromium on this machine, or the one that was named is not there."""

    code = "browser_not_found"


class BrowserStartFailed(FirstcauseError):
    """A browser was found and does not start."""

    code = "browser_start_failed"


class BrowserUnreachable(FirstcauseError):
    """Nothing that speaks the DevTools protocol answers at the address."""

    code = "browser_unreachable"


class OutputFailed(FirstcauseError):
    """The place to write to can't be written, or can't be written any more."""

    code = "output_failed"


class BadRecording(FirstcauseError):
    """A file can't be read, is no recording, or one of a newer firstcause."""

    code = "bad_recording"


class AxeMissing(FirstcauseError):
    """Accessibility can't be checked: axe, which does it, is not installed."""

    code = "axe_missing"


class UnknownPage(FirstcauseError):
    """No page of this name is observed."""

    code = "unknown_page"


class CommandFailed(FirstcauseError):
    """The browser refused a command."""

    code = "command_failed"


class CommandTimeout(CommandFailed):
    """The browser did not answer a command in time."""

    code = "command_timeout"


class ConnectionLost(CommandFailed):
    """A command can't be answered: the connection to the browser is gone."""

    code = "connection_lost"


class PageBusy(CommandFailed):
    """A page does not answer what it is asked: it hangs, has crashed, or waits for a dialog to be closed."""

    code = "page_busy"
