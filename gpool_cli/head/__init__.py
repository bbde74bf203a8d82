"""AFTER pooling: confidences, class activation maps, and what a dense layer would cost.

The table of activations: from the scores of the classes to their confidences.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

# name → ``module:function`` of (N×K scores) → (N×K confidences)
ACTIVATIONS = {
    "softmax": "gpool_cli.head.confidence:softmax",
    "sigmoid": "gpool_cli.head.confidence:sigmoid",
    "none": "gpool_cli.head.confidence:unchanged",
}

# How a matrix of weights lies: a row for each of the K classes, or one for each of the D channels.
ORDERS = ("KD", "DK")


def load_activation(name: str) -> Callable[[Array], Array]:
    """The function of an activation in the table."""
    module, function = ACTIVATIONS[name].split(":")
    loaded: Callable[[Array], Array] = getattr(importlib.import_module(module), function)
    return loaded
