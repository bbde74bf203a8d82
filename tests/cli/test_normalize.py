"""--normalize: pooled vectors of length 1."""

from pathlib import Path

import numpy as np
import pytest


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("layout", ["HWC", "CHW", "NHWC", "NCHW", "CNHW"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i8"])
def test_the_length_is_one(gpool, norm, layout, dtype):
    sizes = {"N": 3, "C": 6, "H": 4, "W": 5}
    rng = np.random.default_rng(1)
    values = (rng.normal(size=[sizes[letter] for letter in layout]) * 40).astype(dtype)
    np.save("x.npy", values)
    said = ("--layout", layout, "--shape", "flat", "-q")
    assert gpool("max", "x.npy", *said, "-o", "plain.npy").code == 0
    assert gpool("max", "x.npy", *said, "--normalize", norm, "-o", "o.npy").code == 0
    got, plain = np.load("o.npy"), np.load("plain.npy").astype(np.longdouble)
    length = np.linalg.norm(plain.astype("f8"), 1 if norm == "l1" else 2, axis=-1, keepdims=True)
    assert got.dtype == np.result_type(values.dtype, np.float32)
    np.testing.assert_allclose(got, plain / length, 2 * np.finfo(got.dtype).eps)


def test_a_zero_vector_stays_zero_and_is_counted(gpool):
    values = np.ones((3, 2, 2, 4), "f4")
    values[1] = 0
    np.save("x.npy", values)
    ran = gpool("avg", "x.npy", "--normalize", "l2", "--count", "-o", "o.npz")
    assert np.load("o.npz")["x.avg"].reshape(3, 4).tolist() == [[0.5] * 4, [0] * 4, [0.5] * 4]
    assert (np.load("o.npz")["x.count"] == 4).all()
    assert "1 zero vector not normalized" in ran.out
    assert "zero vector" not in gpool("avg", "x.npy").out


def test_small_files_count_theirs(gpool):
    Path("t").mkdir()
    for i in range(20):
        np.save(f"t/{i:02}.npy", np.full((2, 2, 3), float(i % 5 > 0), "f4"))
    ran = gpool("avg", "t", "--normalize", "l1", "-o", "o.npy")
    assert "4 zero vectors not normalized" in ran.out
    assert np.load("o.npy").sum() == pytest.approx(16)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 5e-324])
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_no_square_is_too_large_or_too_small(gpool, scale, norm):
    np.save("x.npy", np.array([3.0, 4.0]).reshape(1, 1, 2) * scale)
    assert gpool("max", "x.npy", "--normalize", norm, "-o", "o.npy").code == 0
    expected = [0.6, 0.8] if norm == "l2" else [3 / 7, 4 / 7]
    np.testing.assert_allclose(np.load("o.npy").ravel(), expected, 1e-15)


def test_infinities_and_nan(gpool):
    np.save("x.npy", np.array([[1, np.inf], [1, np.nan], [3, 4]]).reshape(3, 1, 1, 2))
    assert gpool("max", "x.npy", "--normalize", "l2", "-o", "o.npy").code == 0
    got = np.load("o.npy").reshape(3, 2)
    np.testing.assert_array_equal(got, [[0, np.nan], [np.nan, np.nan], [0.6, 0.8]])


def test_one_channel(gpool):
    np.save("x.npy", np.array([[-3.0, -2.0]]))
    assert gpool("max", "x.npy", "--normalize", "l2", "-o", "o.npy").code == 0
    assert np.load("o.npy").tolist() == [[[-1.0]]]


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("layout", ["HWC", "CHW", "NCHW", "HW"])
def test_averages_and_maxima_side_by_side_are_one_vector(gpool, norm, layout):
    sizes = {"N": 3, "C": 6, "H": 4, "W": 5}
    values = np.random.default_rng(1).normal(size=[sizes[letter] for letter in layout])
    np.save("x.npy", values)
    said = ("catavgmax", "x.npy", "--layout", layout, "--shape", "flat", "-q")
    assert gpool(*said, "-o", "plain.npy").code == 0
    assert gpool(*said, "--normalize", norm, "-o", "o.npy").code == 0
    plain = np.load("plain.npy")
    length = np.linalg.norm(plain, 1 if norm == "l1" else 2, axis=-1, keepdims=True)
    np.testing.assert_allclose(np.load("o.npy"), plain / length, 1e-14)


def test_positions_are_no_vector(gpool):
    np.save("x.npy", np.arange(12.0).reshape(3, 2, 2))
    said = ("--where", "--count", "--normalize", "l2", "--dtype", "float32")
    assert gpool("max", "x.npy", *said, "-o", "o.npz").code == 0
    got = np.load("o.npz")
    assert got["x.where"].tolist() == [[[[2, 1], [2, 1]]]]
    assert got["x.count"].tolist() == [[[6, 6]]]
    assert (got["x.where"].dtype, got["x.max"].dtype) == (np.int64, np.float32)
