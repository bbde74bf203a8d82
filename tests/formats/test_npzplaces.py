"""Members of an archive that have their places before their values come."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest

from gpool_cli.formats.npystream import header_of
from gpool_cli.formats.npzplaces import Places

ARRAYS = {
    "a.npy": np.arange(24, dtype="f4").reshape(4, 6),
    "é/b.npy": np.arange(10, dtype="i8").reshape(5, 2),
    "none.npy": np.zeros((0, 3), "f2"),
    "names.npy": np.array(["x", "yy"]),
}


def rows(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """The rows of all arrays in turns."""
    for i in range(count):
        for name, array in ARRAYS.items():
            yield name, array[i : i + 1]


def placed() -> bytes:
    file = io.BytesIO()
    places = Places(file)
    members = {name: places.place(name, one.shape, one.dtype) for name, one in ARRAYS.items()}
    for name, values in rows(5):
        members[name].write_values(values)
    for member in members.values():
        member.finish()
    places.close()
    return file.getvalue()


def by_zipfile() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in ARRAYS.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(header_of(array.shape, array.dtype) + array.tobytes())
    return file.getvalue()


def test_in_turns_it_is_what_zipfile_makes_one_after_the_other() -> None:
    assert placed() == by_zipfile()


def test_numpy_reads_it_and_the_checksums_are_right() -> None:
    with np.load(io.BytesIO(placed())) as archive:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(archive[name.removesuffix(".npy")], array)
    with zipfile.ZipFile(io.BytesIO(placed())) as archive:
        assert archive.testzip() is None


def test_a_member_behind_4_gib(tmp_path) -> None:
    """Only the places are looked at; the file has a hole where values would be."""
    large = (1 << 30) + 5
    with open(tmp_path / "a.npz", "x+b") as file:
        places = Places(file)
        places.place("large.npy", (large,), np.dtype("f4")).finish()
        small = places.place("small.npy", (3,), np.dtype("f4"))
        small.write_values(np.arange(3, dtype="f4"))
        small.finish()
        places.close()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.getinfo("large.npy").file_size == 4 * large + 128
        assert archive.getinfo("small.npy").header_offset > 1 << 32
        np.testing.assert_array_equal(np.load(archive.open("small.npy")), [0, 1, 2])


def test_what_is_forgotten_half_way_does_not_complain() -> None:
    places = Places(io.BytesIO())
    places.place("a.npy", (3,), np.dtype("f4"))
    places.close()
    assert places.has("a.npy")
    assert not places.has("b.npy")


@pytest.mark.parametrize("order", ["C", "F"])
def test_values_are_written_in_c_order(order: str) -> None:
    values = np.arange(6, dtype="f4").reshape(2, 3)
    file = io.BytesIO()
    places = Places(file)
    member = places.place("a.npy", values.shape, values.dtype)
    member.write_values(np.array(values, order=order))
    member.finish()
    places.close()
    with np.load(io.BytesIO(file.getvalue())) as archive:
        np.testing.assert_array_equal(archive["a"], values)
