"""How well elements are known again after pages have changed; `_selectors.py` is the program."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from _selectors import main

    sys.exit(main())

# Python looks for modules in this folder first, and asyncio means the standard library's module of this name.
import importlib.util
import sysconfig
from pathlib import Path

standard = importlib.util.spec_from_file_location(
    __name__, Path(sysconfig.get_path("stdlib"), "selectors.py")
)
assert standard is not None
assert standard.loader is not None
sys.modules[__name__] = importlib.util.module_from_spec(standard)
standard.loader.exec_module(sys.modules[__name__])
