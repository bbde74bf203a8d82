"""Cutting arrays: every value in one block, whatever the shape."""

import itertools
import math
from collections.abc import Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpool_cli.formats.interface import (
    CODED_PART_BYTES,
    PART_BYTES,
    cut_chunks,
    cut_parts,
    cut_rows,
)
from gpool_cli.model import ArrayInfo, Block

SHAPES = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def times_covered(shape: Iterable[int], blocks: Iterable[Block]) -> np.ndarray:
    times = np.zeros(tuple(shape), int)
    for block in blocks:
        times[tuple(slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))] += 1
        assert all(
            a + n <= length
            for a, n, length in zip(block.start, block.shape, times.shape, strict=True)
        )
    return times


@settings(deadline=None)
@given(SHAPES, st.sampled_from([1, 2, 8]), st.integers(1, 3000))
def test_rows(shape: list[int], itemsize: int, target: int) -> None:
    blocks = list(cut_rows(shape, itemsize, target))

    assert (times_covered(shape, blocks) == 1).all()
    assert all(math.prod(b.shape) * itemsize <= max(target, itemsize) for b in blocks)
    in_memory = [np.ravel_multi_index(block.start, shape) for block in blocks]
    lengths = [math.prod(block.shape) for block in blocks]
    assert in_memory == list(itertools.accumulate(lengths, initial=0))[:-1]


@settings(deadline=None)
@given(SHAPES, st.data(), st.sampled_from([1, 2, 8]), st.integers(1, 3000))
def test_chunks(shape: list[int], data: st.DataObject, itemsize: int, target: int) -> None:
    chunks = [data.draw(st.integers(1, 9)) for _ in shape]

    blocks = list(cut_chunks(shape, chunks, itemsize, target))

    assert (times_covered(shape, blocks) == 1).all()
    bound = max(target, math.prod(chunks) * itemsize)
    assert all(math.prod(block.shape) * itemsize <= bound for block in blocks)
    for block in blocks:
        assert all(first % chunk == 0 for first, chunk in zip(block.start, chunks, strict=True))


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, 3, 1000, 20_000]), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_parts(shape: list[int], fortran: bool, chunked: bool, data: st.DataObject) -> None:
    chunks = tuple(data.draw(st.integers(1, 400)) for _ in shape) if chunked else None
    filters = data.draw(st.sampled_from([(), ("gzip",)]))
    info = ArrayInfo(
        "",
        tuple(shape),
        np.dtype("f8"),
        fortran=fortran and not chunked,
        chunks=chunks,
        filters=filters,
    )
    most = CODED_PART_BYTES if chunked and filters else PART_BYTES

    parts = cut_parts(info)

    memory = info.memory_shape
    axis = parts[0].axis
    assert all(length == 1 for length in memory[:axis])
    assert parts[0].first == 0
    assert parts[-1].last == memory[axis]
    for one, other in itertools.pairwise(parts):
        assert one.axis == other.axis
        assert one.first < one.last == other.first
        assert chunks is None or other.first % chunks[axis] == 0
    row = info.nbytes // memory[axis] * (chunks[axis] if chunks else 1)
    assert all((p.last - p.first) * (info.nbytes // memory[axis]) <= max(most, row) for p in parts)
    if len(parts) > 1:
        assert 2 * (parts[0].last - parts[0].first) * (info.nbytes // memory[axis]) >= most
