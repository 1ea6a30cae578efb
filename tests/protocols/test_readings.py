import pytest

from protocols.readings import TIME_ESTIMATED, Quality, quality_of


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("estimated", [0, TIME_ESTIMATED], ids=["time known", "time estimated"])
def test_the_quality_is_read_out_of_the_flags(quality: Quality, estimated: int) -> None:
    assert quality_of(quality | estimated) is quality
