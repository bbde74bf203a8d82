"""Fill values and packed values of HDF5 files, as netCDF tools write them."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

FILL = -999


@pytest.fixture
def packed(here: Path) -> np.ma.MaskedArray:
    """An int16 dataset with fill values, scale and offset, and a channel of nothing else."""
    rng = np.random.default_rng(0)
    stored = rng.integers(-500, 500, (6, 7, 4)).astype("i2")
    stored[rng.random(stored.shape) < 0.3] = FILL
    stored[..., 3] = FILL
    with h5py.File("p.nc", "w") as file:
        dataset = file.create_dataset("t", data=stored, chunks=(4, 3, 4), compression=1)
        dataset.attrs["_FillValue"] = np.array([FILL], "i2")
        dataset.attrs["scale_factor"] = np.float32(0.01)
        dataset.attrs["add_offset"] = np.float32(273.15)
        dataset.attrs["units"] = "K"
    return np.ma.masked_equal(stored, FILL)


def one(values: np.ndarray) -> list[float]:
    return values.ravel().tolist()


def test_fill_values_are_missing(gpool, packed):
    ran = gpool("avg", "p.nc", "--count", "-o", "o.npz")
    got = np.load("o.npz")
    expected = packed.mean((0, 1)).filled(np.nan).astype("f4")
    np.testing.assert_array_equal(got["t.avg"].ravel(), expected)
    assert one(got["t.count"]) == packed.count((0, 1)).tolist()
    assert f"{np.ma.count_masked(packed)} values of the inputs masked or missing" in ran.out
    assert "1 channel without any valid value" in ran.out


def test_they_can_be_values(gpool, packed):
    assert gpool("avg", "p.nc", "--fill-value", "ignore", "-o", "o.npz").code == 0
    expected = packed.data.mean((0, 1), dtype="f8").astype("f4")
    np.testing.assert_array_equal(np.load("o.npz")["t"].ravel(), expected)


@pytest.mark.parametrize("name", ["avg", "max"])
def test_unpacked_values(gpool, packed, name):
    assert gpool(name, "p.nc", "--unpack", "-o", "o.npz").code == 0
    got = np.load("o.npz")["t"]
    wide = packed * np.float64(np.float32(0.01)) + np.float64(np.float32(273.15))
    expected = (wide.mean if name == "avg" else wide.max)((0, 1)).filled(np.nan)
    assert got.dtype == np.float32  # that of the attributes, as netCDF tools have it
    np.testing.assert_allclose(got.ravel(), expected, 2e-7)


@pytest.mark.parametrize(
    ("stored", "scale", "result"),
    [
        ("i2", "f4", "f4"),
        ("i2", "f8", "f8"),
        ("i4", "f4", "f8"),
        ("f4", "f4", "f4"),
        ("u1", "i4", "f8"),
    ],
)
def test_the_dtype_of_unpacked_values(gpool, stored, scale, result):
    with h5py.File("p.nc", "w") as file:
        file["t"] = np.arange(12).reshape(2, 2, 3).astype(stored)
        file["t"].attrs["scale_factor"] = np.dtype(scale).type(2)
    assert gpool("max", "p.nc", "--unpack", "-o", "o.npz").code == 0
    got = np.load("o.npz")["t"]
    assert (got.dtype, one(got)) == (np.dtype(result), [18, 20, 22])


@pytest.mark.parametrize(("fill", "code"), [(3e300, 0), (4e300, 1)])
def test_a_value_that_unpacked_fits_nowhere(gpool, fill, code):
    with h5py.File("p.nc", "w") as file:
        file["t"] = np.array([[[1.0]], [[3e300]], [[np.inf]]])
        file["t"].attrs.update({"scale_factor": 1e10, "_FillValue": fill})
    ran = gpool("max", "p.nc", "--unpack", "-o", "o.npz")
    assert ran.code == code
    assert ("the stored value 3e+300, which unpacked does not fit" in ran.err) == bool(code)
    assert "Warning" not in ran.err


def test_unsigned_values(gpool):
    with h5py.File("p.nc", "w") as file:
        file["t"] = np.array([[[-1, 2]], [[1, -128]]], "i1")
        file["t"].attrs["_Unsigned"] = "true"
    assert gpool("max", "p.nc", "--unpack", "-o", "o.npz").code == 0
    assert one(np.load("o.npz")["t"]) == [255, 128]


@pytest.mark.parametrize(
    ("dtype", "attributes", "valid"),
    [
        ("f4", {"_FillValue": np.float32(np.nan)}, [2, 3]),
        ("f4", {"missing_value": 1e20, "_FillValue": np.float64(np.nan)}, [2]),
        ("f8", {"missing_value": np.array([1e20, 5.0])}, []),
        (">f4", {"_FillValue": np.array([1e20], ">f8")}, [2]),
        ("i4", {"_FillValue": np.nan, "missing_value": 7.5}, [0, 1, 2, 3]),
        ("i4", {"_FillValue": 1e20, "missing_value": np.int64(5)}, [0, 1, 3]),
        ("u1", {"_FillValue": -1}, [0, 1, 2, 3]),
        ("i1", {"_FillValue": np.uint8(253), "_Unsigned": "true"}, [0, 1, 2]),
        ("i1", {"_FillValue": np.int8(-3), "_Unsigned": "true"}, [0, 1, 2]),
        ("i1", {"_FillValue": np.uint8(253)}, [0, 1, 2, 3]),
        ("i1", {"_FillValue": np.int16(300), "_Unsigned": "true"}, [0, 1, 2, 3]),
        ("f4", {"_FillValue": "none"}, [0, 1, 2, 3]),
    ],
)
def test_what_is_compared_are_stored_values(gpool, dtype, attributes, valid):
    """``valid`` says which of four values are not missing; NaN are left out besides."""
    special = [np.nan, np.nan, 5, 1e20] if np.dtype(dtype).kind == "f" else [0, 1, 5, 3]
    special = [0, 1, 5, -3] if dtype == "i1" else special
    with h5py.File("p.h5", "w") as file:
        file["t"] = np.array(special, dtype).reshape(4, 1, 1)
        for name, value in attributes.items():
            file["t"].attrs[name] = value
    ran = gpool("avg", "p.h5", "--count", "--nan", "omit", "-o", "o.npz")
    assert ran.code == 0
    assert np.load("o.npz")["t.count"].item() == len([i for i in valid if not np.isnan(special[i])])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("scale_factor", np.nan, "its attribute scale_factor is no finite number"),
        ("add_offset", [1.0, 2.0], "its attribute add_offset is no finite number"),
        ("missing_value", np.arange(1001), "its attribute missing_value has 1,001 values"),
    ],
)
def test_attributes_that_make_no_sense(gpool, name, value, said):
    with h5py.File("p.h5", "w") as file:
        file["t"] = np.ones((2, 2, 3), "i2")
        file["t"].attrs[name] = value
    ran = gpool("avg", "p.h5")
    assert ran.code == 1
    assert said in ran.err


def test_info_shows_them(gpool, packed):
    assert "fill -999 x 0.01 +273.15" in " ".join(gpool("info", "p.nc").out.split())
    entry = json.loads(gpool("info", "p.nc", "--json").out)
    assert entry["fill_values"] == [FILL]
    assert entry["scale_factor"] == np.float32(0.01)
    assert entry["add_offset"] == np.float32(273.15)


@pytest.mark.parametrize(
    ("options", "kept"), [((), True), (("--unpack",), False), (("--normalize", "l2"), False)]
)
def test_a_result_says_only_what_is_true_of_it(gpool, packed, options, kept):
    assert gpool("avg", "p.nc", "--count", *options, "-o", "o.h5").code == 0
    with h5py.File("o.h5") as file:
        assert ("scale_factor" in file["t.avg"].attrs) == kept
        assert ("add_offset" in file["t.avg"].attrs) == kept
        assert "scale_factor" not in file["t.count"].attrs
        assert "_FillValue" not in file["t.avg"].attrs
        assert file["t.avg"].attrs["units"] == "K"


def test_a_mask_and_fill_values(gpool, packed):
    valid = np.random.default_rng(2).random((6, 7)) < 0.5
    np.save("m.npy", valid)
    for jobs in (1, 2):
        said = ("--mask", "m.npy", "--unpack", "--nan", "omit", "-j", jobs)
        assert gpool("avg", "p.nc", *said, "-o", f"{jobs}.npy").code == 0
    assert Path("1.npy").read_bytes() == Path("2.npy").read_bytes()
    both = np.ma.array(packed, mask=packed.mask | ~valid[..., np.newaxis])
    wide = both * np.float64(np.float32(0.01)) + np.float64(np.float32(273.15))
    expected = wide.mean((0, 1)).filled(np.nan)
    np.testing.assert_allclose(np.load("1.npy").ravel(), expected, 2e-7)


@pytest.mark.parametrize(
    ("name", "scale", "kept"),
    [
        ("avg", -0.5, True),
        ("median", -0.5, True),
        ("max", -0.5, False),
        ("quantile:q=0.5", -0.5, False),
        ("max", 0.5, True),
        ("quantile:q=0.25", 0.5, True),
        ("topk:k=2", 0.5, True),
        ("range", 0.5, False),
        ("std", 0.5, False),
        ("sum", 0.5, False),
    ],
)
def test_scale_and_offset_go_on_where_they_give_the_unpacked_result(gpool, name, scale, kept):
    stored = np.random.default_rng(0).integers(-500, 500, (6, 7, 4)).astype("i2")
    with h5py.File("p.h5", "w") as file:
        file["t"] = stored
        file["t"].attrs["scale_factor"], file["t"].attrs["add_offset"] = scale, 273.0
    assert gpool("pool", "-m", name, "p.h5", "-o", "o.h5").code == 0
    assert gpool("pool", "-m", name, "p.h5", "--unpack", "-o", "meant.h5").code == 0
    with h5py.File("o.h5") as got, h5py.File("meant.h5") as meant:
        assert ("scale_factor" in got["t"].attrs) is kept
        assert ("add_offset" in got["t"].attrs) is kept
        if kept:
            np.testing.assert_allclose(got["t"][()] * scale + 273.0, meant["t"][()], 1e-6)


def test_no_scale_holds_for_values_read_with_a_sign_that_they_have_not(gpool):
    with h5py.File("p.h5", "w") as file:
        file["t"] = np.array([[[-1, 2]], [[1, -128]]], "i1")
        file["t"].attrs["_Unsigned"], file["t"].attrs["scale_factor"] = "true", 2.0
    assert gpool("avg", "p.h5", "-o", "o.h5").code == 0
    with h5py.File("o.h5") as got:
        assert "scale_factor" not in got["t"].attrs
