"""The router of a screen: nobody unsigned, no unsafe method without its token."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from cloud.core.principal import Role
from cloud.web import csrf, kept
from cloud.web.ids import LARGEST_ID
from cloud.web.session import require


def pages_for(*roles: Role, before: Sequence[Callable[..., Awaitable[None]]] = ()) -> APIRouter:
    """Return a router whose pages only `roles` may open; with none, everybody who is signed in.

    Args:
        roles: see session.require.
        before: what is done before the unit of work of a request begins, and so by nobody who was let in yet: each
            looks for itself whether somebody is signed in.
    """
    guards = [
        Depends(csrf.check),
        Depends(check_ids),
        *(Depends(each) for each in before),
        Depends(require(*roles), scope="function"),
        Depends(kept.check, scope="function"),
    ]
    return APIRouter(dependencies=guards, default_response_class=HTMLResponse, include_in_schema=False)


def public_pages() -> APIRouter:
    """Return a router whose pages ask for no sign-in."""
    return APIRouter(dependencies=[Depends(csrf.check)], default_response_class=HTMLResponse, include_in_schema=False)


async def check_ids(request: Request) -> None:
    """Turn away an address with a number in it that nothing can have.

    Raises:
        HTTPException: there is no such page.
    """
    for value in request.path_params.values():
        try:
            is_beyond = abs(float(value)) >= LARGEST_ID
        except ValueError:
            continue  # a word
        if is_beyond:
            raise HTTPException(404)
