"""Lets `python -m firstcause` be the command line."""

from __future__ import annotations

from firstcause.api.cli import main

if __name__ == "__main__":
    main()
