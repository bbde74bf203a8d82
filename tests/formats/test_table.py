"""The table of formats, and the way from a path to a reader."""

import os
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.access import DEFAULT_ACCESS
from gpool_cli.errors import InputError
from gpool_cli.formats import TABLE, load_reader, load_writer, row_of_content, row_of_suffix
from gpool_cli.formats.files import open_regular
from gpool_cli.formats.interface import Reader, Writer
from gpool_cli.formats.naming import safe_name, stem
from gpool_cli.formats.opening import format_of, isolated, open_reader


def test_every_row_loads() -> None:
    for row in TABLE:
        if row.reader:
            assert issubclass(load_reader(row), Reader)
        if row.writer:
            assert issubclass(load_writer(row), Writer)


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".zarr", ".pt"])
def test_what_a_process_may_not_survive_is_opened_by_workers(suffix: str) -> None:
    assert isolated(f"a{suffix}")
    assert not isolated("a.npy")


def test_no_suffix_means_two_formats() -> None:
    suffixes = [suffix for row in TABLE for suffix in row.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(
    ("name", "row"),
    [("a.npy", "npy"), ("d.x/A.HDF5", "h5"), ("a.b.nc4", "h5"), ("a", None), ("a.npy.bak", None)],
)
def test_suffixes(name: str, row: str | None) -> None:
    found = row_of_suffix(name)
    assert (found.name if found else None) == row


def test_content() -> None:
    assert row_of_content(b"") is None
    assert row_of_content(b"hello") is None
    assert {row_of_content(magic).name for row in TABLE for magic in row.magic} == {  # type: ignore[union-attr]
        "npy", "npz", "h5", "mat",
    }  # fmt: skip


class TestOpening:
    def test_a_file_without_a_known_suffix_is_known_by_its_content(self, tmp_path: Path) -> None:
        for name in ("plain", "feature.dat", "looks_like.csv"):
            path = tmp_path / name
            with path.open("wb") as file:
                np.save(file, np.zeros((2, 3)))
            assert format_of(str(path)).name == "npy"
            with open_reader(str(path), DEFAULT_ACCESS) as reader:
                assert [info.shape for info in reader.arrays()] == [(2, 3)]

    def test_no_known_format(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("hello")
        with pytest.raises(InputError) as caught:
            format_of(str(path))
        assert str(caught.value) == "is of no known format (gpool formats lists what it reads)"

    def test_standard_input_is_npy(self) -> None:
        assert format_of("-").name == "npy"

    @pytest.mark.parametrize("name", ["fifo.npy", "fifo.npz", "fifo.h5", "fifo"])
    def test_a_fifo_is_not_even_waited_for(self, name: str, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError) as caught:
            open_reader(str(tmp_path / name), DEFAULT_ACCESS)
        assert caught.value.message == "is not a regular file"
        assert caught.value.hint == "only files are read, and a pipe given as -"

    def test_a_device(self) -> None:
        with pytest.raises(InputError, match="is not a regular file"):
            open_regular("/dev/null")

    def test_a_link_to_a_file_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"x")
        (tmp_path / "b").symlink_to("a")
        with open_regular(str(tmp_path / "b")) as file:
            assert file.read() == b"x"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("maps/a.npy", "maps/a"), ("a.b.npz", "a.b"), (".npy", ".npy"), ("a", "a")],
)
def test_stem(name: str, expected: str) -> None:
    assert stem(name) == expected


@pytest.mark.parametrize("name", ["a", "g/m", "ünï", "a.npy", "...", "a..b", " ", "%2E"])
def test_a_harmless_name_stays(name: str) -> None:
    assert safe_name(name) == name


def test_no_name_is_cut_at_a_zero() -> None:
    assert safe_name("a\0x/b") == "a%00x/b"
