"""The box's clocks, moved by hand."""

BOOTS = [f"{number:032x}" for number in range(1, 10)]


class HandClock:
    """A fake Clock that stands still until a test moves it; its wall clock is as wrong as the test wants."""

    def __init__(self, *, boot_id: str = BOOTS[0], mono_us: int = 5_000_000, wall_us: int = 0) -> None:
        self.boot_id = boot_id
        self.mono_us = mono_us
        self.wall = wall_us

    def monotonic_us(self) -> int:
        return self.mono_us

    def wall_us(self) -> int:
        return self.wall

    def advance(self, seconds: float) -> None:
        self.mono_us += round(seconds * 1e6)
        self.wall += round(seconds * 1e6)

    def boot(self, boot_id: str, *, mono_us: int = 5_000_000) -> None:
        """Start the machine again: another boot, whose monotonic time begins anew."""
        self.boot_id = boot_id
        self.mono_us = mono_us
