"""Finds the device profiles: those that come with Gatehouse, and a technician's own."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from protocols.errors import ProfileRefused
from protocols.profiles.parsing import parse_profile
from protocols.profiles.schema import Profile

_ENDING = ".yaml"
_FOLDER = files("firmware_configs.profiles")


@cache
def load_profiles() -> Mapping[str, Profile]:
    """Return every profile that comes with Gatehouse, by key; read and checked once a process.

    Raises:
        ProfileRefused: a file is wrong; the message names it, the point and the mend.
    """
    keys = sorted(each.name.removesuffix(_ENDING) for each in _FOLDER.iterdir() if each.name.endswith(_ENDING))
    return MappingProxyType({key: load_profile(key) for key in keys})


@cache
def load_profile(key: str) -> Profile:
    """Return one of the profiles that come with Gatehouse, without reading the others.

    Raises:
        ProfileRefused: there is none of that key, or its file is wrong.
    """
    name = f"{key}{_ENDING}"
    if name not in {each.name for each in _FOLDER.iterdir()}:
        known = ", ".join(sorted(each.name.removesuffix(_ENDING) for each in _FOLDER.iterdir() if _ENDING in each.name))
        raise ProfileRefused(name, [f"no such profile comes with Gatehouse; it has {known}"])
    return parse_profile(_FOLDER.joinpath(name).read_bytes(), file=name)


def load_profile_file(path: Path) -> Profile:
    """Return the profile of a technician's own file.

    Raises:
        ProfileRefused: the file can't be read, or is wrong.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ProfileRefused(str(path), [f"can't be read: {error.strerror}"]) from error
    return parse_profile(text, file=str(path))
