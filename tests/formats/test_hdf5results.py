"""Results as HDF5 datasets that are copies of each other: what each of them says is its own."""

import io
from collections.abc import Callable, Iterable
from dataclasses import replace

import h5py
import numpy as np
import pytest

from gpool_cli.formats.hdf5results import _SMALL
from gpool_cli.formats.hdf5writer import Hdf5Writer
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Result

MANY = _SMALL // 4 + 1


def written(results: Iterable[Result]) -> h5py.File:
    file = io.BytesIO()
    writer = Hdf5Writer(file, WriteStyle(recipe="avg"))
    for result in results:
        writer.add(result)
    writer.finish()
    return h5py.File(file)


@pytest.mark.parametrize("channels", [3, MANY])
def test_values_and_shapes_are_those_of_each(
    channels: int, make_result: Callable[..., Result]
) -> None:
    values = np.arange(4 * channels, dtype="f4").reshape(4, channels)
    shapes = (7, 5, channels), (9, 5, channels), (2, 7, 5, channels), (7, 5, channels)
    results = [
        make_result(one, dataset=name, input_shape=shape)
        for name, one, shape in zip("abcd", values, shapes, strict=True)
    ]
    with written(results) as file:
        for name, one, shape in zip("abcd", values, shapes, strict=True):
            assert (file[name][...].ravel() == one).all()
            assert tuple(file[name].attrs["input_shape"]) == shape


def test_rows_that_never_came_hold_nothing_of_another_result(
    make_result: Callable[..., Result],
) -> None:
    whole = make_result([[1, 2], [3, 4]], dataset="a", axes="NC")
    first = replace(make_result([[5, 6]], dataset="b", axes="NC"), rows=2)
    assert first.shape == whole.shape
    with written([whole, first]) as file:
        assert file["b"][...].tolist() == [[5, 6], [0, 0]]
