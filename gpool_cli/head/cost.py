"""What a classifier costs behind a feature map: a dense layer on all of it, or global pooling."""

from __future__ import annotations

from dataclasses import dataclass

from gpool_cli.layout import size_of


@dataclass(frozen=True)
class Cost:
    """What one classifier takes.

    Attributes:
        parameters: Weights and biases.
        operations: Multiply-adds for one map; an addition alone counts as one.
        any_size: It takes maps of any height and width.
    """

    parameters: int
    operations: int
    any_size: bool

    def bytes_at(self, itemsize: int) -> int:
        """The bytes of the parameters."""
        return self.parameters * itemsize


def flatten_and_dense(places: tuple[int, ...], channels: int, classes: int) -> Cost:
    """A dense layer on the flattened map: a weight for every class, place and channel.

    Args:
        places: The lengths of the axes that pooling would remove, such as (7, 7).
        channels: D.
        classes: K, or the units of the layer.
    """
    weights = size_of(places) * channels * classes
    return Cost(weights + classes, weights, any_size=False)


def pool_and_linear(places: tuple[int, ...], channels: int, classes: int) -> Cost:
    """Global average pooling, then a linear layer on the D numbers."""
    weights = channels * classes
    return Cost(weights + classes, size_of(places) * channels + weights, any_size=True)


def pool_alone(places: tuple[int, ...], classes: int) -> Cost:
    """Global average pooling of a map that has one channel for every class."""
    return Cost(0, size_of(places) * classes, any_size=True)
