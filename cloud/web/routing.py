"""The router of a screen: nobody unsigned, no unsafe method without its token."""

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from cloud.core.principal import Role
from cloud.web import csrf
from cloud.web.session import require


def pages_for(*roles: Role) -> APIRouter:
    """Return a router whose pages only `roles` may open; with none, everybody who is signed in."""
    guards = [Depends(csrf.check), Depends(require(*roles), scope="function")]
    return APIRouter(dependencies=guards, default_response_class=HTMLResponse, include_in_schema=False)


def public_pages() -> APIRouter:
    """Return a router whose pages ask for no sign-in."""
    return APIRouter(dependencies=[Depends(csrf.check)], default_response_class=HTMLResponse, include_in_schema=False)
