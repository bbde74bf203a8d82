"""What is computed: poolings with their parameters, and all else that decides the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpool_cli.layout import ShapeStyle

NanPolicy = Literal["propagate", "omit", "error"]
NAN_POLICIES = ("propagate", "omit", "error")

FillPolicy = Literal["missing", "ignore"]
FILL_POLICIES = ("missing", "ignore")

NormName = Literal["none", "l2", "l1"]
NORMS = ("none", "l2", "l1")


@dataclass(frozen=True)
class PoolingSpec:
    """A pooling with its parameters, as a user asks for it.

    Attributes:
        name: A name in the table of poolings.
        params: Its parameters where they are not the default ones, as sorted pairs.
    """

    name: str
    params: tuple[tuple[str, float], ...] = ()

    @property
    def label(self) -> str:
        """``avg``, or ``gem:p=3`` where there are parameters."""
        words = (f"{name}={repr(value).removesuffix('.0')}" for name, value in self.params)
        return ":".join([self.name, ",".join(words)]).rstrip(":")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the numbers of a result.

    Attributes:
        poolings: What is computed, in the order asked for.
        layout: The user's layout as `gpool_cli.layout.parse_layout` gives it, or None.
        nan: What NaN in the input does.
        dtype: The output's dtype by name, or None for the pooling's own.
        shape: How the pooled axes stand in the output.
        batched: Every result gets a batch axis, also where the input has none.
        activation: The results are confidences that this one makes of scores; '' for pooled values.
        head: What tells the layer that gives those scores from others.
        mask: Where the mask of an input is found, as a user says it; None where there is none.
        weights: The same of its weights map.
        fill: What the fill values of a file do.
        unpack: Packed values are unpacked first.
        normalize: What the length of a pooled vector is, which it is divided by.
    """

    poolings: tuple[PoolingSpec, ...]
    layout: str | None = None
    nan: NanPolicy = "propagate"
    dtype: str | None = None
    shape: ShapeStyle = "channels-last"
    batched: bool = False
    activation: str = ""
    head: str = ""
    mask: str | None = None
    weights: str | None = None
    fill: FillPolicy = "missing"
    unpack: bool = False
    normalize: NormName = "none"

    @property
    def has_companions(self) -> bool:
        """Whether a mask or a weights map goes with every input."""
        return self.mask is not None or self.weights is not None

    def describe(self) -> str:
        """The recipe in one line: poolings, then the parameters that change the values."""
        words = ["+".join(spec.label for spec in self.poolings)]
        if self.layout is not None:
            words.append(f"layout={self.layout}")
        if self.nan != "propagate":
            words.append(f"nan={self.nan}")
        if self.dtype is not None:
            words.append(f"dtype={self.dtype}")
        if self.shape != "channels-last":
            words.append(f"shape={self.shape}")
        if self.activation:
            words.append(f"activation={self.activation} head={self.head}")
        # Without the paths of masks, which mean nothing where the output is read.
        flags = {"masked": self.mask, "weighted": self.weights, "unpacked": self.unpack}
        words += [word for word, given in flags.items() if given]
        if self.fill != "missing":
            words.append(f"fill-value={self.fill}")
        if self.normalize != "none":
            words.append(f"normalize={self.normalize}")
        return " ".join(words)
