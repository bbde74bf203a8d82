"""From pooled channels to confidences, while results pass from the work to the sink."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array
from gpool_cli.head import load_activation
from gpool_cli.head.confidence import scores_of
from gpool_cli.head.weights import Head, Linear
from gpool_cli.model import Alike, Failed, InputFile, Outcome, Result, Warned
from gpool_cli.ranking import Ranking

_NAN = "has confidences that are NaN, for pooled channels are NaN or infinite"


@dataclass(frozen=True, eq=False)
class Classifier:
    """What makes confidences of pooled channels.

    Attributes:
        head: The layer that gives scores.
        activation: The name of what makes confidences of them.
        ranking: How many classes are named, and their labels.
        dtype: The dtype of the confidences by name; None goes by that of the pooled channels.
    """

    head: Head
    activation: str
    ranking: Ranking
    dtype: str | None = None

    def fingerprint(self) -> str:
        """What tells it from others that give other outputs."""
        digest = hashlib.sha256(
            repr((self.head.order, self.ranking, self.dtype)).encode("utf-8", "backslashreplace")
        )
        for values in (self.head.weights, self.head.bias):
            if values is not None:
                digest.update(repr(values.shape).encode())
                digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()[:12]

    def linear(self, channels: int) -> Linear:
        """The layer for maps of that many channels.

        Raises:
            InputError: It is for others, or has not as many classes as there are labels.
        """
        linear = self.head.for_channels(channels)
        labels = len(self.ranking.labels)
        if labels and labels != linear.classes:
            raise InputError(
                f"gives {linear.classes:,} classes, but there are {labels:,} labels",
                "name the layer with --head, or other labels"
                if linear.matrix is None
                else "check --labels",
            )
        return linear


@dataclass
class Confidences:
    """Makes confidences of results. A map that it can't do so for fails, once.

    Attributes:
        classifier: How.
        strict: A map without confidences fails.
    """

    classifier: Classifier
    strict: bool = False
    _linears: dict[int, Linear] = field(default_factory=dict)
    _said: tuple[InputFile, str] | None = None
    _failed: bool = False

    def of(self, outcomes: Iterable[Outcome | Alike]) -> Iterator[Outcome | Alike]:
        """The same outcomes, with confidences as the values of results."""
        for outcome in outcomes:
            if isinstance(outcome, Result):
                yield from self._of_result(outcome)
            elif isinstance(outcome, Alike):
                yield from self._of_alike(outcome)
            else:
                yield outcome

    def _of_result(self, result: Result) -> Iterator[Outcome]:
        place = result.file, result.info.dataset
        if self._said != place or result.start == 0:
            self._said, self._failed = None, False
        if self._failed:
            return
        try:
            made = self._made(result)
        except InputError as error:
            self._said, self._failed = place, True
            yield Failed(*place, error.message, error.hint)
            return
        if self._said is None and np.isnan(made.values).any():
            self._said, self._failed = place, self.strict
            hint = "--nan omit leaves out the NaN of the map"
            if self.strict:
                yield Failed(*place, _NAN, hint)
                return
            yield Warned(*place, "confidence", f"{_NAN}: {hint}")
        yield made

    def _of_alike(self, alike: Alike) -> Iterator[Outcome | Alike]:
        """Files at once, where all is well with each of them."""
        try:
            results = tuple(map(self._made, alike.results))
        except InputError:
            results = ()
        if results and not any(np.isnan(result.values).any() for result in results):
            yield replace(alike, results=results)
        else:
            yield from self.of(alike.outcomes())

    def _made(self, result: Result) -> Result:
        """A result with confidences in the place of its pooled channels."""
        channel = result.axes.index("C")
        pooled = np.moveaxis(result.values, channel, -1)
        rows = self._confidences(pooled.reshape(-1, pooled.shape[-1]))
        values = np.moveaxis(rows.reshape(*pooled.shape[:-1], -1), -1, channel)
        return replace(result, values=values, ranking=self.classifier.ranking)

    def _confidences(self, pooled: Array) -> Array:
        channels = pooled.shape[1]
        if channels not in self._linears:
            self._linears = {channels: self.classifier.linear(channels)}
        scores = scores_of(pooled, self._linears[channels])
        wide = load_activation(self.classifier.activation)(scores)
        asked = self.classifier.dtype
        dtype = np.dtype(asked) if asked is not None else np.result_type(pooled.dtype, np.float32)
        with np.errstate(over="ignore"):
            narrow = wide.astype(dtype)
        if (np.isinf(narrow) & ~np.isinf(wide)).any():
            raise InputError(f"has scores that do not fit {dtype.name}", "choose a wider --dtype")
        return narrow
