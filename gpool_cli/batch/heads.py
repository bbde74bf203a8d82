"""Heads from files: the weights, the bias and the labels that a user names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from gpool_cli.access import Access
from gpool_cli.batch.discover import split_key
from gpool_cli.batch.select import may_be_wanted
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout
from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.interface import Array, Reader
from gpool_cli.formats.opening import open_reader
from gpool_cli.head.labels import parse_labels
from gpool_cli.head.weights import Head, make_head
from gpool_cli.layout import shape_text
from gpool_cli.model import ArrayInfo, InputFile
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text

# The last part of a name; Keras has ":0" behind it.
_WEIGHTS = re.compile(r"((?:^|.*[/.]))(weights|weight|kernel)((?::0)?)$", re.DOTALL)
_BIAS = re.compile(r"(?:^|[/.])bias(?::0)?$")
_LABELS = "name a text file with a line for every class"
_MOST_NAMED = 4

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class HeadFiles:
    """Where a head is.

    Attributes:
        weights: The file of the weights, and of a bias beside them; None for no weights.
        bias: The file of the bias, where it has one of its own.
        order: ``KD`` or ``DK``, where the user said it.
        labels: The file of the labels; None for none.
    """

    weights: str | None = None
    bias: str | None = None
    order: str | None = None
    labels: str | None = None


def load_head(files: HeadFiles, access: Access, scout: Scout) -> Head:
    """Read the weights and the bias of a head.

    Raises:
        UsageError: They can't be read, or make no layer.
    """
    access = replace(access, view="")  # It is how maps are read.
    weights = bias = None
    if files.weights is not None:
        weights, bias = _look(files.weights, _weights_and_bias, access, scout)
    if files.bias is not None:
        bias = _look(files.bias, _bias_alone, access, scout)
    return make_head(weights, bias, files.order)


def load_labels(path: str | None, head: Head) -> tuple[str, ...]:
    """Read the labels of the classes of a head.

    Raises:
        UsageError: They can't be read, or are not as many as the classes.
    """
    if path is None:
        return ()
    try:
        with open(path, encoding="utf-8") as file:
            labels = parse_labels(file.read())
    except UnicodeDecodeError:
        raise UsageError(f"the labels {printable(path)} are no text in UTF-8", _LABELS) from None
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"can't read the labels {printable(path)}: {reason}", _LABELS) from error
    if not labels:
        raise UsageError(f"the labels {printable(path)} are empty", _LABELS)
    classes = head.possible_classes
    if classes and len(labels) not in classes:
        counts = " or ".join(f"{k:,}" for k in classes)
        raise UsageError(
            f"{printable(path)} has {len(labels):,} labels, the weights are for {counts} classes",
            _LABELS,
        )
    return labels


def _look(
    word: str, read: Callable[[InputFile, Access], _Value], access: Access, scout: Scout
) -> _Value:
    """Read what a user names, ``FILE`` or ``FILE.h5:PATTERN``, where that does no harm."""
    path, keys = split_key(word)
    file = InputFile(path, os.path.basename(path), True, keys)
    try:
        return scout.call(file, read, file, access)
    except Exception as error:
        failed = failure_of(file, "", error)
        raise UsageError(f"{printable(word)} {failed.message}", failed.hint) from error


def _weights_and_bias(file: InputFile, access: Access) -> tuple[Array, Array | None]:
    with open_reader(file.path, access) as reader:
        infos = list(reader.arrays())
        weights = _choose(infos, file.keys, _WEIGHTS, 2)
        bias = _bias_beside(weights.dataset, infos)
        values = read_whole(reader, weights)
        return values, read_whole(reader, bias) if bias is not None else None


def _bias_beside(weights: str, infos: Sequence[ArrayInfo]) -> ArrayInfo | None:
    """The bias of the same layer: called as its weights are, or alone in the same group."""
    if _WEIGHTS.search(weights) is not None:
        beside = _WEIGHTS.sub(r"\1bias\3", weights)
        return next((info for info in infos if info.dataset == beside), None)
    above = weights.rpartition("/")[0]
    there = [info for info in infos if info.dataset.rpartition("/")[0] == above]
    found = [info for info in there if _BIAS.search(info.dataset)]
    return found[0] if len(found) == 1 else None


def _bias_alone(file: InputFile, access: Access) -> Array:
    with open_reader(file.path, access) as reader:
        infos = list(reader.arrays())
        return read_whole(reader, _choose(infos, file.keys, _BIAS, 1))


def _choose(
    infos: Sequence[ArrayInfo], keys: Sequence[str], names: re.Pattern[str], axes: int
) -> ArrayInfo:
    """The array that is meant: by the user's word, by its name, or because no other can be."""
    wanted = may_be_wanted(keys)
    asked = [info for info in infos if wanted(info.dataset)]
    if len(asked) == 1 and not asked[0].refusal:
        return asked[0]
    fit = [info for info in asked if len(info.shape) == axes and not info.refusal]
    # What has another name is not guessed at: it may be features, and its bias would be missed.
    chosen = [info for info in fit if names.search(info.dataset)] or (fit if keys else [])
    what = "weights, with an axis for classes and one for channels" if axes == 2 else "bias"
    if len(chosen) == 1:
        return chosen[0]
    shown = ", ".join(
        f"{printable(info.dataset) or 'an array'} ({shape_text(info.shape)})"
        for info in (chosen or infos)[:_MOST_NAMED]
    )
    more = ", …" if len(chosen or infos) > _MOST_NAMED else ""
    if chosen:
        raise InputError(
            f"holds several arrays that may be the {what}: {shown}{more}", "choose with FILE:NAME"
        )
    there = f"it holds {shown}{more}" if infos else "it holds nothing"
    raise InputError(f"holds no {what}: {there}", "choose with FILE:NAME")


def read_whole(reader: Reader, info: ArrayInfo) -> Array:
    """All values of an array, in its own axis order; float64.

    Raises:
        InputError: It is larger than memory allows, or can't be read.
    """
    if info.refusal:
        raise InputError(info.refusal, "save it as numbers")
    if info.nbytes > reader.access.max_memory:
        raise InputError(
            f"takes {bytes_text(info.nbytes)} in {printable(info.dataset) or 'one array'}",
            "allow it with --max-memory, or name another file",
        )
    whole = np.empty(info.memory_shape)
    if whole.size:
        for block, values in reader.blocks(info):
            whole[block.box] = values
    return whole.T if info.fortran else whole
