"""From pooled channels to scores, and from scores to confidences; float64 throughout."""

from __future__ import annotations

import numpy as np

from gpool_cli.head.weights import Array, Linear


def scores_of(pooled: Array, linear: Linear) -> Array:
    """The score of every class: W·pooled + b.

    Args:
        pooled: One row per map, N×D, of any numeric dtype.
        linear: The layer for D channels.

    Returns:
        N×K, float64. The scores of a row have the same bits whatever rows are beside it.
    """
    rows = np.asarray(pooled, np.float64)
    if linear.matrix is not None:
        # Row by row and without BLAS, whose sums depend on how many rows and threads there are.
        with np.errstate(all="ignore"):
            rows = np.stack([np.einsum("kd,d->k", linear.matrix, row) for row in rows])
    return rows if linear.bias is None else rows + linear.bias


def softmax(scores: Array) -> Array:
    """Confidences of classes that exclude each other: e^s / Σ e^s; they sum to 1.

    Args:
        scores: N×K, float64.

    Returns:
        N×K; NaN throughout a row that holds NaN or +inf.
    """
    with np.errstate(all="ignore"):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(scores: Array) -> Array:
    """Confidences of classes that may be there together: 1 / (1 + e^-s), each for itself.

    Args:
        scores: N×K, float64.
    """
    small = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1 / (1 + small), small / (1 + small))


def unchanged(scores: Array) -> Array:
    """The scores themselves."""
    return scores
