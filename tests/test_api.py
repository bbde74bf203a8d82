"""global_pool(): arrays of all kinds, files, and what it says when it can't."""

import doctest
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import gpool_cli
from gpool_cli import api, global_pool
from gpool_cli.errors import GpoolError, InputError, UsageError

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture
def values() -> Array:
    return np.random.default_rng(0).standard_normal((4, 5, 3)).astype(np.float32)


def same(got: Array, expected: Array) -> bool:
    return (
        got.dtype == expected.dtype
        and got.shape == expected.shape
        and got.tobytes() == expected.tobytes()
    )


class TestArrays:
    def test_avg_is_the_default(self, values: Array) -> None:
        got = global_pool(values)
        assert got.shape == (1, 1, 3)
        np.testing.assert_allclose(got.ravel(), values.mean(axis=(0, 1), dtype=float), rtol=1e-7)

    def test_aliases(self, values: Array) -> None:
        assert same(global_pool(values, "gap"), global_pool(values, "avg"))
        assert same(global_pool(values, "MAC"), global_pool(values, "max"))

    @pytest.mark.parametrize("pooling", ["avg", "max"])
    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u4", "i8", "?"])
    def test_however_it_lies_in_memory(self, pooling: str, dtype: str) -> None:
        values = np.random.default_rng(1).integers(-9, 9, (4, 6, 3)).astype(dtype)
        expected = global_pool(values, pooling)
        wide = np.zeros((8, 12, 6), dtype)
        wide[::2, ::2, ::2] = values
        raw = np.frombuffer(b"x" + values.tobytes(), np.uint8)[1:]
        for other in (
            values.astype(values.dtype.newbyteorder(">")),
            np.asfortranarray(values),
            np.asfortranarray(values.astype(values.dtype.newbyteorder(">"))),
            wide[::2, ::2, ::2],
            values[::-1, ::-1].copy()[::-1, ::-1],
            raw.view(dtype).reshape(values.shape),  # unaligned
            np.broadcast_to(values[np.newaxis], (2, *values.shape))[1],
        ):
            assert same(global_pool(other, pooling), expected)

    def test_channels_first(self, values: Array) -> None:
        moved = np.ascontiguousarray(values.transpose(2, 0, 1))
        assert same(global_pool(moved, "max", layout="CHW"), global_pool(values, "max"))
        assert same(global_pool(moved, "max", layout="channels_first"), global_pool(values, "max"))
        transposed = values.transpose(2, 0, 1)
        assert same(global_pool(transposed, "max", layout="chw"), global_pool(values, "max"))

    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">i2", "?"])
    def test_the_array_is_left_as_it_was(self, dtype: str, order: Any) -> None:
        values = np.arange(-12, 12).reshape(2, 4, 3).astype(dtype, order=order)
        before = values.tobytes()
        for nan in ("propagate", "omit", "error"):
            for pooling in ("avg", "max"):
                global_pool(values, pooling, nan=nan)
        assert values.dtype == dtype
        assert values.tobytes() == before

    def test_a_read_only_array(self, values: Array) -> None:
        values.flags.writeable = False
        assert global_pool(values).flags.writeable

    def test_the_result_is_not_a_view_of_the_array(self) -> None:
        values = np.ones((1, 1, 3), np.float32)
        global_pool(values, "max")[:] = 7
        assert (values == 1).all()

    def test_lists(self) -> None:
        assert global_pool([[1, 2], [3, 4]], "max").item() == 4
        assert global_pool([[[1.5], [2.5]]]).item() == 2

    def test_an_array_in_many_blocks(self) -> None:
        values = np.random.default_rng(2).standard_normal((300, 400, 7))
        got = global_pool(values, "max", shape="flat")
        assert np.array_equal(got, values.max(axis=(0, 1)))
        batch = np.random.default_rng(3).standard_normal((500, 30, 30, 5)).astype(np.float32)
        got = global_pool(batch, "max", shape="flat")
        assert np.array_equal(got, batch.max(axis=(1, 2)))

    @pytest.mark.parametrize(
        ("layout", "style", "shape"),
        [
            ("CHW", "channels-last", (1, 1, 4)),
            ("CHW", "keepdims", (4, 1, 1)),
            ("CHW", "flat", (4,)),
            ("NHC", "channels-last", (4, 1, 3)),
            ("NHC", "flat", (4, 3)),
            ("HCN", "keepdims", (1, 5, 3)),
        ],
    )
    def test_shapes(self, values: Array, layout: str, style: Any, shape: tuple[int, ...]) -> None:
        got = global_pool(values, layout=layout, shape=style)
        assert got.shape == shape
        assert got.flags.c_contiguous

    def test_asked_dtype(self, values: Array) -> None:
        for asked in ("float64", np.float64, np.dtype(">f8"), float):
            got = global_pool(values, dtype=asked)
            assert got.dtype == np.float64
            assert got.dtype.isnative


class TestFiles:
    @pytest.mark.parametrize("pooling", ["avg", "max"])
    def test_a_file_gives_what_its_array_gives(
        self, values: Array, tmp_path: Path, pooling: str
    ) -> None:
        np.save(tmp_path / "c.npy", values)
        np.save(tmp_path / "f.npy", np.asfortranarray(values))
        np.savez_compressed(tmp_path / "z.npz", map=values)
        with h5py.File(tmp_path / "h.h5", "w") as file:
            file.create_dataset("map", data=values, compression="gzip", chunks=(2, 5, 3))
        for path in sorted(tmp_path.iterdir()):
            expected = np.asfortranarray(values) if path.name == "f.npy" else values
            assert same(global_pool(path, pooling), global_pool(expected, pooling)), path
            assert same(global_pool(str(path), pooling), global_pool(path, pooling))

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_the_same_bytes_from_memory_and_file(self, tmp_path: Path, order: Any) -> None:
        """Float64 in many blocks: the order of the sum shows in the last bits."""
        values = np.random.default_rng(4).lognormal(0, 9, (257, 129, 11))
        values *= np.random.default_rng(5).choice([-1, 1], values.shape)
        values = np.asarray(values, order=order)
        np.save(tmp_path / "map.npy", values)
        assert same(global_pool(values), global_pool(tmp_path / "map.npy"))

    def test_key_chooses(self, values: Array, tmp_path: Path) -> None:
        path = tmp_path / "two.npz"
        np.savez(path, a=values, b=values + 1)
        assert same(global_pool(path, "max", key="b"), global_pool(values + 1, "max"))
        with pytest.raises(InputError, match=r"two.npz holds 2 maps \(choose one with key="):
            global_pool(path)
        with pytest.raises(InputError, match=r"two.npz: holds nothing named 'c' \(it holds a, b\)"):
            global_pool(path, key="c")

    def test_the_files_own_layout(self, tmp_path: Path) -> None:
        path = tmp_path / "labelled.h5"
        with h5py.File(path, "w") as file:
            file["map"] = np.arange(24.0).reshape(2, 3, 4)
            file["map"].attrs["layout"] = "CHW"
        assert global_pool(path).shape == (1, 1, 2)
        assert global_pool(path, layout="HWC").shape == (1, 1, 4)

    def test_errors_name_the_file(self, values: Array, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none\.npy: can't be read: No such file"):
            global_pool(tmp_path / "none.npy")
        whole = tmp_path / "whole.npy"
        np.save(whole, values)
        cut = tmp_path / "cut.npy"
        cut.write_bytes(whole.read_bytes()[:-4])
        with pytest.raises(InputError, match=r"cut\.npy: is truncated: 4x5x3 float32"):
            global_pool(cut)
        with pytest.raises(InputError, match=r"whole\.npy: the layout L has 1 letter, the array"):
            global_pool(whole, layout="L")
        with pytest.raises(InputError, match=r"whole\.npy: .* does not fit int8|is a fraction"):
            global_pool(whole, dtype="int8")

    def test_a_dataset_that_fails_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "nan.npz"
        np.savez(path, bad=np.full((2, 2, 2), np.nan))
        with pytest.raises(InputError, match=r"nan\.npz:bad: holds NaN"):
            global_pool(path, nan="error")


class TestErrors:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"pooling": "banana"}, r"there is no pooling 'banana' \(the poolings are avg, max"),
            ({"layout": "HWQ"}, r"the layout 'HWQ' has no meaning for 'Q'"),
            ({"layout": "HWD"}, r"did you mean HWC\?"),
            ({"shape": "round"}, r"there is no shape 'round' \(the shapes are channels-last, "),
            ({"nan": "ignore"}, r"there is no NaN policy 'ignore' \(choose propagate, omit, "),
            ({"dtype": "banana"}, r"there is no dtype 'banana'"),
            ({"dtype": "complex64"}, r"the result can't be complex64 \(choose a float or an int"),
            ({"dtype": "U5"}, r"the result can't be str"),
            ({"dtype": object}, r"the result can't be object"),
            ({"dtype": "M8[s]"}, r"the result can't be datetime64"),
        ],
    )
    def test_wrong_usage(self, values: Array, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            global_pool(values, **wrong)

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((2, 2, 2), complex), r"the array is complex \(pool real numbers\)"),
            (np.zeros((2, 2, 2), object), r"the array holds objects"),
            (np.zeros((2, 2, 2), "U3"), r"the array holds strings"),
            (np.zeros((2, 2, 2), "S3"), r"the array holds strings"),
            (np.zeros((2, 2, 2), "M8[s]"), r"the array holds dates"),
            (np.zeros((2, 2, 2), "m8[s]"), r"the array holds time spans"),
            (np.zeros((2, 2, 2), [("a", "f4")]), r"the array is compound"),
            (np.zeros((0, 2, 2)), r"the array has no values: its shape is "),
            (np.zeros((2, 0, 2)), r"the array has no values"),
            (np.zeros((2, 2, 0)), r"the array has no values"),
            (np.zeros(5), r"1 axis 5 and no default layout \(.*--layout"),
            (3.0, r"0 axes \(\) and no default layout"),
            ([[1], [2, 3]], r"the array is ragged"),
            (np.ma.masked_equal(np.zeros((2, 2, 2)), 0), r"the array is masked \(fill .* NaN"),
            (None, r"the array holds objects"),
            (b"map.npy", r"the array holds strings"),
        ],
    )
    def test_no_feature_map(self, array: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            global_pool(array)

    def test_a_layout_that_does_not_fit(self, values: Array) -> None:
        with pytest.raises(InputError, match=r"NHWC has 4 letters, the array 3 axes 4x5x3"):
            global_pool(values, layout="NHWC")

    @pytest.mark.parametrize("kind", [InputError, UsageError])
    def test_one_class_catches_all(self, kind: type[GpoolError]) -> None:
        assert issubclass(kind, GpoolError)
        assert str(kind("it broke", "mend it")) == "it broke (mend it)"
        assert str(kind("it broke")) == "it broke"


def test_the_docstrings_example_runs() -> None:
    assert doctest.testmod(api).attempted > 0
    assert doctest.testmod(api).failed == 0


def test_the_package_offers_the_api_and_nothing_by_accident() -> None:
    assert set(gpool_cli.__all__) == {"__version__", "global_pool"}
    with pytest.raises(AttributeError, match="no attribute 'global_pol'"):
        _ = gpool_cli.global_pol


@pytest.mark.parametrize("pooling", [2, None, ["avg"]])
def test_a_pooling_that_is_no_text(pooling: Any) -> None:
    with pytest.raises(UsageError, match="there is no pooling"):
        global_pool(np.ones((2, 2, 2)), pooling)
