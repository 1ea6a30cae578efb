"""Whom the box trusts on the other end of an encrypted line."""

import ssl
from pathlib import Path

from edge.errors import SettingsRefused


def trust(ca_file: Path | None, *, field: str) -> ssl.SSLContext:
    """Return a context that trusts one certificate authority, or with None the system's.

    Raises:
        SettingsRefused: the file can't be used; `field` is the setting that names it.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsRefused(f"{field} = {ca_file}: {error.strerror or error}; name a PEM file") from error
