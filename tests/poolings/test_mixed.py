"""Average and maximum side by side."""

import numpy as np
import pytest

from gpool_cli import global_pool


@pytest.mark.parametrize("style", ["channels-last", "flat"])
@pytest.mark.parametrize("axes", ["HWC", "CHW", "NHWC", "NCHW", "HW"])
def test_all_averages_then_all_maxima(axes, style):
    values = np.random.default_rng(0).standard_normal((3, 4, 5, 2)[: len(axes)]).astype("f4")
    both = global_pool(values, "catavgmax", layout=axes, shape=style)
    average, maximum = (global_pool(values, p, layout=axes, shape=style) for p in ("avg", "max"))
    np.testing.assert_array_equal(both, np.concatenate([average, maximum], axis=-1))


def test_the_input_s_own_order():
    values = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("f4")
    assert global_pool(values, "catavgmax", layout="NCHW", shape="keepdims").shape == (2, 6, 1, 1)
    assert global_pool(values[0, 0], "catavgmax", shape="keepdims").shape == (1, 1, 2)
