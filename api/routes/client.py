"""The JavaScript client, for pages and for Node."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

MODULE = Path(__file__).parents[1] / "client" / "client.js"

router = APIRouter()


@router.get("/client.js", response_class=FileResponse, responses={200: {"content": {"text/javascript": {}}}})
async def client_js() -> FileResponse:
    """An ES module that subscribes, resumes and checks that nothing is missing."""
    return FileResponse(MODULE, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
