"""Colours: the same values have the same ones, and what is no value has its own."""

import numpy as np
import pytest

from gpool_cli.report.colours import NAN_COLOUR, Scale, viridis


def lightness(rgb: np.ndarray) -> np.ndarray:
    """L* of CIELAB."""
    linear = rgb / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(luminance) - 16


def test_viridis_goes_from_purple_over_teal_to_yellow():
    assert viridis(np.array([0.0, 0.5, 1.0])).tolist() == [
        [68, 1, 84],
        [33, 145, 140],
        [253, 231, 37],
    ]


def test_equal_steps_are_equally_much_lighter():
    steps = np.diff(lightness(viridis(np.linspace(0, 1, 17)).astype(float)))
    assert steps.min() > 3.5
    assert steps.max() < 6


def test_nan_has_a_colour_that_no_value_has():
    shares = np.array([[np.nan, 0.2], [7.0, -1.0]])
    colours = viridis(shares)
    assert colours.shape == (2, 2, 3)
    assert tuple(colours[0, 0]) == NAN_COLOUR
    assert colours[1].tolist() == viridis(np.array([1.0, 0.0])).tolist()
    every = viridis(np.linspace(0, 1, 256)).astype(int)
    assert np.abs(every - NAN_COLOUR).sum(axis=1).min() > 150


def test_a_scale_is_of_all_finite_values():
    scale = Scale.of(np.array([1.0, np.nan]), np.array([[-3, np.inf]]))
    assert (scale.low, scale.high) == (-3.0, 1.0)
    shares = scale.shares(np.array([-3, -1, 1, np.inf, -np.inf, np.nan]))
    assert shares.tolist()[:5] == [0.0, 0.5, 1.0, 1.0, 0.0]
    assert np.isnan(shares[5])


def test_a_constant_map_has_one_colour():
    assert Scale.of(np.full(3, 5.0)).shares(np.array([5.0, np.inf])).tolist() == [0.0, 1.0]


def test_a_map_without_finite_values_has_no_scale():
    scale = Scale.of(np.array([np.nan, np.inf]))
    assert np.isnan(scale.low)
    assert np.isnan(scale.high)
    assert scale.shares(np.array([np.inf, -np.inf])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "values", [np.array([-1.7e308, 0, 1.7e308]), np.array([0, 2**63, 2**64 - 1], "u8")]
)
def test_the_widest_ranges_do_not_overflow(values):
    assert Scale.of(values).shares(values) == pytest.approx([0.0, 0.5, 1.0])
