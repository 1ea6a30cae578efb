"""What the dictionary refuses, named by who has to mend it; each message names field, value and mend."""

from collections.abc import Sequence


class DictionaryError(ValueError):
    """Anything that the dictionary refuses."""


class UnitRefused(DictionaryError):
    """A unit that is not in the table, or two units that do not measure the same quantity."""


class AnswerRefused(DictionaryError):
    """What a device sent does not fit its profile: no value follows from it."""


class ProfileRefused(DictionaryError):
    """A device profile that can't be used; `problems` holds one sentence for each thing to mend."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        super().__init__(f"{file}: " + "; ".join(problems))
        self.file = file
        self.problems = tuple(problems)
