"""Scores and confidences: true in float64, the same bits in any company."""

import math

import numpy as np
import pytest

from gpool_cli.head import ACTIVATIONS, load_activation
from gpool_cli.head.confidence import scores_of, sigmoid, softmax
from gpool_cli.head.weights import make_head

RNG = np.random.default_rng(3)
W = RNG.normal(size=(50, 80))
B = RNG.normal(size=50)
LINEAR = make_head(W, B).for_channels(80)


def test_scores_are_the_layer():
    pooled = RNG.random((6, 80)).astype("f4")
    expected = [
        [
            math.fsum(w * float(p) for w, p in zip(row, one, strict=True)) + b
            for row, b in zip(W, B, strict=True)
        ]
        for one in pooled
    ]
    np.testing.assert_allclose(scores_of(pooled, LINEAR), expected, rtol=1e-13, atol=1e-13)


def test_a_row_has_the_same_bits_alone():
    pooled = RNG.random((40, 80)).astype("f4")
    together = scores_of(pooled, LINEAR)
    alone = np.concatenate([scores_of(pooled[i : i + 1], LINEAR) for i in range(40)])
    assert together.tobytes() == alone.tobytes()


def test_without_weights_the_scores_are_the_channels():
    pooled = np.array([[3, 200]], "u1")
    scores = scores_of(pooled, make_head(None, None).for_channels(2))
    np.testing.assert_array_equal(scores, [[3.0, 200.0]])
    assert scores.dtype == np.float64


def test_softmax_bears_any_scores():
    np.testing.assert_allclose(softmax(np.array([[0.0, math.log(3)]])), [[0.25, 0.75]])
    np.testing.assert_array_equal(softmax(np.array([[1e308, -1e308, 1e308]])), [[0.5, 0, 0.5]])
    np.testing.assert_array_equal(softmax(np.array([[-np.inf, 0.0]])), [[0, 1]])
    assert np.isnan(softmax(np.array([[np.nan, 1.0]]))).all()


def test_sigmoid_bears_any_scores():
    got = sigmoid(np.array([[0.0, 800.0, -800.0, math.log(3), np.nan]]))
    np.testing.assert_allclose(got, [[0.5, 1, 0, 0.75, np.nan]], atol=1e-300)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_keeps_shape_order_and_type(name):
    scores = np.sort(RNG.normal(size=(4, 9)), axis=1)
    made = load_activation(name)(scores)
    assert (made.shape, made.dtype) == (scores.shape, np.float64)
    assert (np.diff(made, axis=1) > 0).all()
