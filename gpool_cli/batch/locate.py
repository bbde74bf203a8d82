"""Where a class was seen in one map: its scores, and the activation map that explains one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpool_cli.access import Access
from gpool_cli.batch.confidences import Classifier
from gpool_cli.batch.glance import choose_one
from gpool_cli.batch.memory import check_memory
from gpool_cli.batch.onemap import OneMap
from gpool_cli.batch.work import failure_of
from gpool_cli.errors import GpoolError, InputError
from gpool_cli.formats.interface import Array
from gpool_cli.formats.opening import open_reader
from gpool_cli.head.cam import activation_map, channel_map
from gpool_cli.head.confidence import scores_of, softmax
from gpool_cli.head.labels import find_class, rank_of
from gpool_cli.layout import Layout
from gpool_cli.model import STDIN, ArrayInfo, Failed, InputFile
from gpool_cli.recipe import PoolingSpec, Recipe

_AVERAGE = PoolingSpec("avg")


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be located.

    Attributes:
        wanted: The class: its index, its label, or ``top1``.
        classifier: The layer whose class it is, and its labels.
        layout: The user's layout as `gpool_cli.layout.parse_layout` gives it, or None.
        index: Which map of a batch.
    """

    wanted: str
    classifier: Classifier
    layout: str | None
    index: int


@dataclass(frozen=True, eq=False)
class Located:
    """Where a class was seen.

    Attributes:
        info: The array.
        layout: The meaning of its axes.
        maps: How many maps it has.
        index: The class.
        cam: Its activation map, rows × columns, float64.
        bias: The class's bias.
        score: The class's score, from the pooled channels.
        confidence: What softmax makes of it among the scores of all classes.
    """

    info: ArrayInfo
    layout: Layout
    maps: int
    index: int
    cam: Array
    bias: float
    score: float
    confidence: float


def locate(file: InputFile, target: Target, access: Access) -> Located | Failed:
    """Locate a class in one map of a file; this is the function that a worker runs.

    Args:
        file: Where the map is.
        target: What is wanted.
        access: How the file is opened.

    Returns:
        Where it was seen; or what is wrong with the array, by its name.

    Raises:
        InputError: There is not one map in the file, or it can't be read.
        UsageError: There is no such class.
    """
    if file.path == STDIN:
        raise InputError("a pipe can't be read twice, as cam does", "save the map first")
    with open_reader(file.path, access) as reader:
        chosen = choose_one(file, target.layout, reader)
        if isinstance(chosen, Failed):
            return chosen
        info, layout, _ = chosen
        recipe = Recipe((_AVERAGE,), target.layout, dtype="float64")
        try:
            check_memory(info, layout, recipe, access.max_memory)
            one = OneMap(reader, info, layout, target.index)
            linear = target.classifier.linear(one.size[2])
            scores = scores_of(one.pooled(recipe)[np.newaxis], linear)
        except InputError as error:
            return failure_of(file, info.dataset, error)
        index = _class_of(target, scores[0])
        try:
            size = one.size[:2]
            if linear.matrix is None:
                cam = channel_map(one.boxes([index]), size, index)
            else:
                cam = activation_map(one.boxes(None), size, linear.matrix[index])
        except GpoolError as error:
            return failure_of(file, info.dataset, error)
    confidence = float(softmax(scores)[0, index])
    score = float(scores[0, index])
    return Located(info, layout, one.maps, index, cam, linear.bias_of(index), score, confidence)


def _class_of(target: Target, scores: Array) -> int:
    rank = rank_of(target.wanted)
    if rank is None:
        return find_class(target.wanted, target.classifier.ranking.labels, scores.size)
    known = scores.size - int(np.count_nonzero(np.isnan(scores)))
    if rank > known:
        raise InputError(
            f"has no top {rank}: {known:,} of {scores.size:,} classes have a score",
            "NaN in the map? gpool classify --nan omit looks past it"
            if known < scores.size
            else "",
        )
    return int(np.argsort(-scores, kind="stable")[rank - 1])
