"""Heads: which axis is the classes, and what does not fit."""

import numpy as np
import pytest

from gpool_cli.errors import InputError, UsageError
from gpool_cli.head.weights import make_head

W = np.arange(12.0).reshape(3, 4)  # 3 classes, 4 channels
B = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("bias", [B, None])
@pytest.mark.parametrize(("weights", "order"), [(W, "KD"), (W.T, "DK")])
@pytest.mark.parametrize("said", [True, False])
def test_either_way_round_is_the_same_layer(weights, order, bias, said):
    linear = make_head(weights, bias, order if said else None).for_channels(4)
    np.testing.assert_array_equal(linear.matrix, W)
    assert (linear.channels, linear.classes) == (4, 3)
    assert linear.bias_of(1) == (2 if bias is not None else 0)


def test_without_weights_the_channels_are_the_classes():
    linear = make_head(None, None).for_channels(5)
    assert (linear.classes, linear.bias_of(3)) == (5, 0)
    assert linear.matrix is None


@pytest.mark.parametrize(
    ("bias", "order", "said"),
    [
        (None, None, "has 7 channels, but the weights are for 3 or 4 (3x4)"),
        (B, None, "has 7 channels, but the weights are for 4 (3x4)"),
        (None, "DK", "has 7 channels, but the weights are for 3 (3x4)"),
    ],
)
def test_another_number_of_channels_names_both(bias, order, said):
    with pytest.raises(InputError) as caught:
        make_head(W, bias, order).for_channels(7)
    assert caught.value.message == said


def test_a_bias_says_which_axis_is_the_classes():
    # A map of 3 channels would fit the other way round.
    with pytest.raises(InputError):
        make_head(W, B).for_channels(3)
    assert make_head(W, None).for_channels(3).classes == 4


def test_a_square_matrix_must_be_told():
    square = np.arange(9.0).reshape(3, 3)
    with pytest.raises(UsageError, match="3x3: which axis are the classes"):
        make_head(square, B)
    np.testing.assert_array_equal(make_head(square, B, "KD").for_channels(3).matrix, square)
    np.testing.assert_array_equal(make_head(square, B, "DK").for_channels(3).matrix, square.T)


@pytest.mark.parametrize(
    ("weights", "bias", "order", "said"),
    [
        (None, B, None, "without weights"),
        (None, None, "KD", "without weights"),
        (np.ones((1, 3, 4)), None, None, "the weights are 1x3x4: not a matrix"),
        (np.ones((0, 4)), None, None, "the weights are 0x4: not a matrix"),
        (W, np.ones((3, 1)), None, "the bias is 3x1"),
        (W, np.ones(5), None, "the bias has 5 values, the weights are 3x4"),
        (W, B, "DK", "the bias has 3 values, the weights are 3x4"),
        (W * np.nan, None, None, "the weights hold NaN"),
        (W, B * np.inf, None, "the bias hold"),
    ],
)
def test_what_makes_no_layer(weights, bias, order, said):
    with pytest.raises(UsageError) as caught:
        make_head(weights, bias, order)
    assert said in caught.value.message
    assert caught.value.hint
