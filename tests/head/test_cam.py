"""Activation maps: the sum over channels, its identity, and what is made of the map."""

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.head.cam import activation_map, channel_map, positive, resized, stretched

RNG = np.random.default_rng(11)
VALUES = RNG.normal(size=(5, 6, 8))
WEIGHTS = RNG.normal(size=8)


def boxes_of(values, rows, columns, channels):
    """A map cut into boxes of this size."""
    for row in range(0, values.shape[0], rows):
        for column in range(0, values.shape[1], columns):
            for channel in range(0, values.shape[2], channels):
                part = values[row : row + rows, column : column + columns]
                yield (row, column, channel), part[:, :, channel : channel + channels]


@pytest.mark.parametrize("cut", [(5, 6, 8), (2, 6, 8), (5, 4, 3), (1, 1, 1)])
def test_every_place_has_the_sum_over_channels(cut):
    got = activation_map(boxes_of(VALUES, *cut), (5, 6), WEIGHTS)
    np.testing.assert_allclose(got, VALUES @ WEIGHTS, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["f2", "f4", "u1", "?"])
def test_narrow_types_are_widened_before_the_sum(dtype):
    values = np.full((2, 2, 300), 250).astype(dtype)
    got = activation_map(boxes_of(values, 2, 2, 300), (2, 2), np.full(300, 1000.0))
    assert (got == 300_000.0 * float(values[0, 0, 0])).all()


def test_the_mean_is_the_score():
    cam = activation_map(boxes_of(VALUES, 2, 2, 2), (5, 6), WEIGHTS)
    assert cam.mean() == pytest.approx(VALUES.mean(axis=(0, 1)) @ WEIGHTS, abs=1e-13)


@pytest.mark.parametrize("cut", [(5, 6, 8), (2, 3, 3)])
def test_a_channel_is_itself_whatever_is_in_the_others(cut):
    values = VALUES.copy()
    values[:, :, 4] = np.nan
    np.testing.assert_array_equal(channel_map(boxes_of(values, *cut), (5, 6), 5), values[:, :, 5])


def test_relu_keeps_nan():
    np.testing.assert_array_equal(positive(np.array([-1, 2, np.nan])), [0, 2, np.nan])


def test_stretching():
    np.testing.assert_array_equal(stretched(np.array([[2.0, 4.0, 3.0]])), [[0, 1, 0.5]])
    np.testing.assert_array_equal(stretched(np.array([[2.0, np.nan, 3.0]])), [[0, np.nan, 1]])
    np.testing.assert_array_equal(stretched(np.full((2, 2), 7.0)), np.zeros((2, 2)))
    assert np.isnan(stretched(np.full((1, 2), np.nan))).all()
    with pytest.raises(InputError, match="infinities"):
        stretched(np.array([[1, np.inf]]))


@pytest.mark.parametrize(
    ("row", "length", "expected"),
    [
        # As torch.nn.functional.interpolate(mode="bilinear", align_corners=False) answers.
        ([0, 1], 4, [0, 0.25, 0.75, 1]),
        ([0, 4, 8], 6, [0, 1, 3, 5, 7, 8]),
        ([0, 1, 2, 3], 2, [0.5, 2.5]),
        ([1, 5, 9], 1, [5]),
        ([3], 3, [3, 3, 3]),
        ([1, 2, 3], 3, [1, 2, 3]),
    ],
)
def test_resizing_has_half_pixel_centres(row, length, expected):
    values = np.array([row], "f8")
    np.testing.assert_allclose(resized(values, (1, length)), [expected])
    np.testing.assert_allclose(resized(values.T, (length, 1))[:, 0], expected)
    np.testing.assert_allclose(resized(values, (3, length)), [expected] * 3)


def test_what_has_no_share_leaves_no_trace():
    values = np.array([[1.0, np.inf, np.nan]])
    np.testing.assert_array_equal(resized(values, (2, 3)), [[1, np.inf, np.nan]] * 2)
