"""netCDF-4: the names of dimensions say what is kept, and packed values are no secret."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.layout import layout_from_dimensions
from gpool_cli.model import ArrayInfo


def make(path: Path, names: list[str], netcdf: bool = True, **attributes: float) -> ArrayInfo:
    """A variable over dimensions as netCDF-4 writes them: scales, and a mark in the root."""
    with h5py.File(path, "w") as file:
        if netcdf:
            file.attrs["_NCProperties"] = "version=2,netcdf=4.9.2"
        values = np.zeros([i + 2 for i in range(len(names))], "f4")
        file["v"] = values
        file["v"].attrs.update(attributes)
        for axis, name in enumerate(names):
            file[name] = np.arange(values.shape[axis])
            file[name].make_scale(name)
            file["v"].dims[axis].attach_scale(file[name])
    with Hdf5Reader(str(path)) as reader:
        return next(info for info in reader.arrays() if info.dataset == "v")


@pytest.mark.parametrize(
    ("names", "layout"),
    [
        (["time", "lat", "lon"], "NHW"),
        (["time", "lat", "lon", "band"], "NHWC"),
        (["feature", "row", "column"], "CHW"),
        (["lat", "lon"], "HW"),
        (["ensemble", "level", "cell", "channels"], "HDWC"),
        (["Time", "LAT", "LON"], "NHW"),
        (["time", "batch", "lat"], None),
        (["time", "", "lat"], None),
    ],
)
def test_names(names: list[str], layout: str | None) -> None:
    assert layout_from_dimensions(names) == layout


def test_a_file_of_netcdf(tmp_path: Path) -> None:
    assert make(tmp_path / "a.nc", ["time", "lat", "lon", "band"]).file_layout == "NHWC"
    assert make(tmp_path / "b.nc", ["time", "station", "cell"]).file_layout == "NHW"


def test_scales_of_other_files_must_be_understood(tmp_path: Path) -> None:
    assert make(tmp_path / "a.h5", ["time", "lat", "lon"], netcdf=False).file_layout is None


def test_packing_is_known(tmp_path: Path) -> None:
    info = make(tmp_path / "a.nc", ["time", "lat", "lon"], scale_factor=0.1, _FillValue=9.0)
    assert info.packing is not None
    assert (info.packing.scale, info.packing.is_packed) == (0.1, True)


def test_what_the_netcdf_library_writes(tmp_path: Path) -> None:
    netcdf = pytest.importorskip("h5netcdf.legacyapi")
    with netcdf.Dataset(tmp_path / "a.nc", "w") as file:
        for name, length in {"time": 2, "y": 3, "x": 4, "channel": 5}.items():
            file.createDimension(name, length)
        file.createVariable("v", "f4", ("time", "y", "x", "channel"))[...] = 1
    with Hdf5Reader(str(tmp_path / "a.nc")) as reader:
        layouts = {info.dataset: info.file_layout for info in reader.arrays()}
    assert layouts["v"] == "NHWC"
