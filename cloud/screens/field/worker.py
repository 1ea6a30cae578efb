"""The script that stands between a worker's pages and the network, at an address from where it may see them all."""

from fastapi import APIRouter
from starlette.responses import Response

from firmware_configs.look.assets import assets

router = APIRouter(include_in_schema=False)


@router.get("/field-worker.js")
async def script() -> Response:
    """Return the script; a browser looks for a newer one each time that a page asks for it."""
    asset = assets()["field_worker.js"]
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": "no-cache"})
