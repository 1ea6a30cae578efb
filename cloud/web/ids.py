"""Numbers of rows as browsers send them."""

from typing import Annotated

from pydantic import Field

LARGEST_ID = 2**63 - 1
"""What an integer column holds; a database refuses to look for more."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A row's number in a form or an address."""
