"""What the tests of formats share."""

from collections.abc import Callable

import numpy as np
import pytest

from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
from gpool_cli.recipe import PoolingSpec

MakeResult = Callable[..., Result]


@pytest.fixture
def make_result() -> MakeResult:
    """A maker of results: 1×1×D from a list of D values, or any array with its axes."""

    def make(
        values: object,
        name: str = "a.npy",
        dataset: str = "",
        pooling: str = "avg",
        axes: str = "HWC",
        path: str | None = None,
        input_shape: tuple[int, ...] = (7, 5, 3),
    ) -> Result:
        array = np.asarray(values, np.float32)
        if array.ndim == 1:
            array = array.reshape((1,) * (len(axes) - 1) + array.shape)
        info = ArrayInfo(dataset, input_shape, np.dtype("f4"))
        file = InputFile(path or name, name)
        return Result(file, info, Layout(axes), PoolingSpec(pooling), array, axes)

    return make
