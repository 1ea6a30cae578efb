"""The look's files over HTTP: named after their content and kept for ever."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cloud.core.errors import NotFound
from cloud.web.templating import STATIC_PATH
from firmware_configs.look.assets import assets
from firmware_configs.look.words import _

router = APIRouter(include_in_schema=False)
_KEPT_FOR_EVER = "public, max-age=31536000, immutable"


@router.get(STATIC_PATH + "/{path}")
async def asset(path: str, request: Request) -> Response:
    """Return one asset, compressed for whoever takes that."""
    found = next((asset for asset in assets().values() if asset.path == path), None)
    if found is None:
        raise NotFound(_("There is no such file."))
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": _KEPT_FOR_EVER, "Vary": "Accept-Encoding"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.compressed if compressed else found.content, media_type=found.media_type, headers=headers)
