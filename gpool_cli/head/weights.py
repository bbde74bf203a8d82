"""The linear layer behind the pooling: one weight for every class and channel, and a bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpool_cli.errors import InputError, UsageError
from gpool_cli.head import ORDERS
from gpool_cli.layout import shape_text
from gpool_cli.quantities import count_text

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Linear:
    """The layer for maps of D channels, as it is used.

    Attributes:
        channels: D.
        matrix: The weights, K×D, float64; None where the channels are the classes.
        bias: What is added to the score of every class, K, float64; None for nothing.
    """

    channels: int
    matrix: Array | None = None
    bias: Array | None = None

    @property
    def classes(self) -> int:
        """K."""
        return self.channels if self.matrix is None else len(self.matrix)

    def bias_of(self, index: int) -> float:
        """What is added to the score of one class."""
        return 0.0 if self.bias is None else float(self.bias[index])


@dataclass(frozen=True, eq=False)
class Head:
    """The layer as it was saved; without weights the channels are the classes.

    Attributes:
        weights: K×D as PyTorch keeps them, or D×K as Keras does, float64; None for none.
        bias: K, float64; None for none.
        order: Which of the two, where the user said it.
    """

    weights: Array | None = None
    bias: Array | None = None
    order: str | None = None

    def for_channels(self, channels: int) -> Linear:
        """The layer the right way round for maps of that many channels.

        Raises:
            InputError: It is for maps of another number of channels.
        """
        if self.weights is None:
            return Linear(channels)
        for order in (self.order,) if self.order is not None else ORDERS:
            matrix = self.weights if order == "KD" else self.weights.T
            if matrix.shape[1] == channels and self.bias_fits(len(matrix)):
                return Linear(channels, np.ascontiguousarray(matrix), self.bias)
        said = count_text(channels, "channel")
        raise InputError(
            f"has {said}, but the weights are for {self._channels_text()}",
            "is it the map before the pooling, with the right --layout, and its own network's head?"
            if self.order is None
            else "check --layout and --weights-layout",
        )

    def bias_fits(self, classes: int) -> bool:
        """Whether so many classes have a bias each."""
        return self.bias is None or len(self.bias) == classes

    @property
    def possible_classes(self) -> tuple[int, ...]:
        """What K may be; nothing where that depends on the map alone."""
        if self.weights is None:
            return ()
        rows, columns = self.weights.shape
        known = {"KD": (rows,), "DK": (columns,), None: (rows, columns)}[self.order]
        return tuple(k for k in known if self.bias_fits(k))

    def _channels_text(self) -> str:
        assert self.weights is not None
        rows, columns = self.weights.shape
        channels = {rows + columns - k for k in self.possible_classes}
        shape = shape_text(self.weights.shape)
        return f"{' or '.join(f'{d:,}' for d in sorted(channels))} ({shape})"


def make_head(weights: Array | None, bias: Array | None, order: str | None = None) -> Head:
    """A head of arrays as they were saved.

    Args:
        weights: Two axes, K×D or D×K; None where the channels are the classes.
        bias: One axis, K; None for none.
        order: ``KD`` or ``DK``; None goes by the shapes.

    Raises:
        UsageError: The shapes make no layer, or leave open which axis the classes are.
    """
    if weights is None:
        if bias is not None or order is not None:
            raise UsageError("a bias or a layout of weights without weights", "add --weights")
        return Head()
    if weights.ndim != 2 or not weights.size:
        raise UsageError(
            f"the weights are {shape_text(weights.shape)}: not a matrix of classes and channels",
            "save them as K x D or D x K",
        )
    if bias is not None and bias.ndim != 1:
        raise UsageError(
            f"the bias is {shape_text(bias.shape)}: not a number for every class",
            "save it with one axis",
        )
    for name, values in (("weights", weights), ("bias", bias)):
        if values is not None and not np.isfinite(values).all():
            raise UsageError(f"the {name} hold NaN or infinities", "save the trained layer again")
    head = Head(np.asarray(weights, np.float64), _float64(bias), order)
    if not head.possible_classes:
        assert bias is not None
        raise UsageError(
            f"the bias has {len(bias):,} values, the weights are {shape_text(weights.shape)}",
            "they are of one layer, with a bias for every class: check --weights-layout too"
            if order is not None
            else "they are of one layer, with a bias for every class",
        )
    if order is None and weights.shape[0] == weights.shape[1]:
        raise UsageError(
            f"the weights are {shape_text(weights.shape)}: which axis are the classes?",
            "--weights-layout KD has a row for every class (PyTorch), DK a column (Keras)",
        )
    return head


def _float64(values: Array | None) -> Array | None:
    return None if values is None else np.asarray(values, np.float64)
