"""Quantiles by several passes give what sorting gives."""

from pathlib import Path

import numpy as np
import pytest

from gpool_cli import global_pool
from gpool_cli.poolings import order

DTYPES = ["bool", "uint8", "int16", "int64", "uint64", "float16", "float32", "float64"]


@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.77, 1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kept", [order._KEPT_BYTES, 100], ids=["kept", "counted"])
def test_as_numpy(dtype: str, q: float, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "_KEPT_BYTES", kept)
    values = (np.random.default_rng(0).standard_normal((50, 7, 3)) * 50).astype(dtype)
    got = global_pool(values, f"quantile:q={q}", layout="HWC", shape="flat")
    expected = np.quantile(values.reshape(-1, 3).astype(np.float64), q, axis=0)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_file_that_is_seen_several_times_and_one_in_a_deflated_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "_KEPT_BYTES", 100)
    values = np.random.default_rng(0).standard_normal((400, 350, 20)).astype("f4")
    np.save(tmp_path / "a.npy", values)
    np.savez_compressed(tmp_path / "a.npz", values)
    expected = np.median(values.reshape(-1, 20), axis=0).astype("f4")
    for name in ("a.npy", "a.npz"):
        got = global_pool(tmp_path / name, "median", shape="flat")
        np.testing.assert_array_equal(got, expected)
