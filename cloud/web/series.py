"""The store of readings, for pages that draw curves or try rules on them."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from cloud.fleet.series import SeriesStore


def series(request: Request) -> SeriesStore:
    """Return the store that the application was given as `app.state.series`."""
    store: SeriesStore = request.app.state.series
    return store


Series = Annotated[SeriesStore, Depends(series)]
