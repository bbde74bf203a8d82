"""How often channels are 0."""

import numpy as np
import pytest

from gpool_cli.report.records.zerobins import LABELS, ZeroBins
from gpool_cli.sketch import Sketch


def bins_of(*sketches: Sketch) -> dict[str, int] | None:
    zeros = ZeroBins()
    for sketch in sketches:
        zeros.take_in(sketch)
    bins = zeros.bins()
    if bins is None:
        return None
    return {label: count for label, count in zip(LABELS, bins, strict=True) if count}


@pytest.mark.parametrize(
    ("count", "label"),
    [
        (0, "never"),
        (1, "under 10 %"),
        (99, "under 10 %"),
        (100, "10 to 20 %"),
        (899, "80 to 90 %"),
        (900, "90 % and more"),
        (999, "90 % and more"),
        (1000, "always"),
    ],
)
def test_a_channel_belongs_to_one_label(count, label):
    assert bins_of(Sketch(np.zeros(1), np.array([count]), 1000)) == {label: 1}


def test_maps_of_all_results_count():
    one = Sketch(np.zeros(3), np.array([True, False, True]), 1)
    other = Sketch(np.zeros(3), np.array([3, 0, 0]), 3)
    assert bins_of(one, other) == {"always": 1, "never": 1, "20 to 30 %": 1}


def test_results_of_several_widths_have_no_channels_in_common():
    one = Sketch(np.zeros(1), np.array([True]), 1)
    assert bins_of(one, Sketch(np.zeros(2), np.array([True, True]), 1), one) is None
    assert bins_of() is None
