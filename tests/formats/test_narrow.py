"""bfloat16 and float8: every value is widened exactly; --view says what npy can't."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpool_cli.access import NARROW_FLOATS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats import extras
from gpool_cli.formats.narrow import as_read, bits_of
from gpool_cli.formats.npy import NpyReader
from gpool_cli.formats.npz import NpzReader


def every_value(name: str) -> Any:
    bits = bits_of(name)
    return np.arange(1 << 8 * bits.itemsize, dtype=np.uint32).astype(bits)


@pytest.mark.parametrize("name", NARROW_FLOATS)
def test_every_value_is_exact(name: str) -> None:
    dtypes = pytest.importorskip("ml_dtypes")
    bits = every_value(name)
    wide = as_read(bits.copy(), name)
    assert wide.dtype == np.float32
    with np.errstate(invalid="ignore"):
        back = wide.astype(getattr(dtypes, name)).view(bits.dtype)
    number = ~np.isnan(wide)
    assert number.sum() > len(bits) / 2
    np.testing.assert_array_equal(back[number], bits[number])
    if name == "bfloat16":
        expected = (bits.astype("u4") << 16).view("f4")
        np.testing.assert_array_equal(wide, expected)


def read(path: Path, view: str) -> Any:
    reader = NpzReader if path.suffix == ".npz" else NpyReader
    with reader(str(path), Access(view=view)) as file:
        (info,) = file.arrays()
        if info.refusal:
            raise InputError(info.refusal)
        assert info.dtype_name == view
        whole = np.concatenate([values.ravel() for _, values in file.blocks(info)])
    return whole.reshape(info.memory_shape).T if info.fortran else whole.reshape(info.shape)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i2", "V2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_view_of_npy(suffix: str, dtype: str, order: str, tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    values = np.arange(24, dtype="f4").reshape(2, 3, 4)
    bits = np.asarray((values.view("u4") >> 16).astype("u2"), order=order)  # type: ignore[call-overload]
    stored = bits.view("V2") if dtype == "V2" else bits.astype(dtype)
    path = tmp_path / f"a{suffix}"
    (np.savez if suffix == ".npz" else np.save)(path, stored)
    np.testing.assert_array_equal(read(path, "bfloat16"), values)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e5m2", "float8_e4m3fn"])
def test_what_numpy_saves_of_narrow_floats(name: str, tmp_path: Path) -> None:
    dtypes = pytest.importorskip("ml_dtypes")
    values = np.arange(24, dtype="f4").reshape(2, 3, 4).astype(getattr(dtypes, name))
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(read(tmp_path / "a.npy", name), values.astype("f4"))
    with NpyReader(str(tmp_path / "a.npy")) as file:
        (info,) = file.arrays()
    assert "say so with --view" in info.refusal


@pytest.mark.parametrize("dtype", ["f4", "f2", "u1", "?"])
def test_what_can_not_be_viewed(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4), dtype))
    with NpyReader(str(tmp_path / "a.npy"), Access(view="bfloat16")) as file:
        (info,) = file.arrays()
    assert "--view bfloat16 takes uint16" in info.refusal
    assert not info.broken


def test_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(InputError) as caught:
        as_read(np.zeros(3, "u2"), "bfloat16")
    assert caught.value.message == "bfloat16 needs ml_dtypes, which is not installed"
    assert caught.value.hint == "install it with: pip install 'gpool[dtypes]'"
