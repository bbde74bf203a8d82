"""How much of a run was done when."""

import pytest

from gpool_cli.report.records.pace import Pace


class Clock:
    """A clock that says what it was set to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_maps_count_in_the_slot_in_which_they_are_done():
    clock = Clock()
    pace = Pace(clock)
    for second, size in ((0, 1), (0.01, 2), (1 / 16, 4), (4 / 16, 8)):
        clock.now = 100 + second
        pace.count(size)
    assert (pace.seconds, pace.maps, pace.bytes) == (1 / 16, [2, 1, 0, 0, 1], [3, 4, 0, 0, 8])


@pytest.mark.parametrize("seconds", [7, 9, 100, 3600, 1e6])
def test_a_long_run_has_as_few_numbers_and_loses_nothing(seconds):
    clock = Clock()
    pace = Pace(clock)
    for step in range(1000):
        clock.now = 100 + seconds * step / 1000
        pace.count(step)
    assert 32 < len(pace.maps) == len(pace.bytes) <= 128
    assert (sum(pace.maps), sum(pace.bytes)) == (1000, sum(range(1000)))
    assert max(pace.maps[:-1]) - min(pace.maps[:-1]) <= 9 + max(pace.maps) // 9


def test_a_map_after_a_long_silence():
    clock = Clock()
    pace = Pace(clock)
    pace.count(1)
    clock.now += 1000
    pace.count(2)
    assert (sum(pace.bytes), pace.bytes[0], pace.bytes[-1]) == (3, 1, 2)
    assert len(pace.maps) <= 128
