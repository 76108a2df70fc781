"""docs/openapi.json: the HTTP surface, as a running server shows it at /openapi.json."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import SecretStr

from firstcause.api import app
from firstcause.api.server import Server
from firstcause.api.settings import Settings


def openapi() -> str:
    """Of a server that is made but not started, so nothing is listened on and no file is touched."""
    settings = Settings(
        token=SecretStr("only-to-make-a-page"), journal="memory", state_dir=Path("nowhere").absolute()
    )
    return json.dumps(app.openapi(app.new_app(Server(settings).service)), indent=2) + "\n"
