"""docs/openapi.json: the HTTP surface, as a running server shows it at /openapi.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from firstcause.api import app
from firstcause.api.server import Server
from firstcause.api.settings import Settings


def openapi() -> str:
    """The description as it is written to the docs."""
    return json.dumps(description(), indent=2) + "\n"


def description() -> dict[str, Any]:
    """Of a server that is made but not started, so nothing is listened on and no file is touched."""
    settings = Settings(
        token=SecretStr("only-to-make-a-page"), journal="memory", state_dir=Path("nowhere").absolute()
    )
    return app.openapi(app.new_app(Server(settings).service))


def parameters(*paths: str) -> dict[str, Any]:
    """What stands in the query when one of these is asked, by name."""
    known = description()["paths"]
    given = [one for path in paths for one in known[path]["get"]["parameters"]]
    return {one["name"]: one for one in given if one["in"] == "query"}
