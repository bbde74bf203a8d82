"""What every reader keeps: each value once, in bounded blocks, and clean refusals."""

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats import TABLE, load_reader
from gpool_cli.formats import interface as formats_interface
from gpool_cli.formats.interface import BLOCK_BYTES, Array, Reader, cut_parts
from gpool_cli.model import ArrayInfo, Block
from gpool_cli.printable import printable
from tests.making import mat, pt, safetensors

Write = Callable[[Path, list[Array]], None]


def write_npy(path: Path, arrays: list[Array]) -> None:
    with path.open("wb") as file:
        for array in arrays:
            np.save(file, array)


def write_npz(path: Path, arrays: list[Array]) -> None:
    np.savez(path, **{f"a{i}": array for i, array in enumerate(arrays)})


def write_deflated_npz(path: Path, arrays: list[Array]) -> None:
    np.savez_compressed(path, **{f"a{i}": array for i, array in enumerate(arrays)})


def write_h5(path: Path, arrays: list[Array]) -> None:
    with h5py.File(path, "w") as file:
        for i, array in enumerate(arrays):
            file[f"group/a{i}"] = array


def write_chunked_h5(path: Path, arrays: list[Array]) -> None:
    """Chunks that fit no axis, and a filter."""
    with h5py.File(path, "w") as file:
        for i, array in enumerate(arrays):
            chunks = tuple(min(3 + axis, length) for axis, length in enumerate(array.shape))
            file.create_dataset(f"a{i}", data=array, chunks=chunks, compression="gzip")


def named(arrays: list[Array]) -> dict[str, Array]:
    return {f"a{i}": array for i, array in enumerate(arrays)}


def write_safetensors(path: Path, arrays: list[Array]) -> None:
    path.write_bytes(safetensors.file_of(named(arrays)))


def write_pt(path: Path, arrays: list[Array]) -> None:
    path.write_bytes(pt.file_of(named(arrays)))


def write_mat(path: Path, arrays: list[Array]) -> None:
    mat.write(path, named(arrays))


def write_chunked_mat(path: Path, arrays: list[Array]) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in named(arrays).items():
            chunks = tuple(map(min, some_chunks(array.T), array.T.shape))
            file.create_dataset(name, data=array.T, chunks=chunks, compression="gzip")
    mat.sign(path)


def some_chunks(array: Array) -> tuple[int, ...]:
    """A few chunks, the last of which goes beyond the array."""
    return tuple(length // 4 + 1 if length > 8 else length // 2 + 1 for length in array.shape)


def write_zarr(path: Path, arrays: list[Array], version: int = 2, **options: Any) -> None:
    zarr = pytest.importorskip("zarr", minversion="3")
    group = zarr.open_group(path, mode="w", zarr_format=version)
    for name, array in named(arrays).items():
        options = {"chunks": some_chunks(array), **options}
        made = group.create_array(f"g/{name}", shape=array.shape, dtype=array.dtype, **options)
        made[...] = array
        options.pop("chunks")


def write_zarr_v2_in_fortran_order(path: Path, arrays: list[Array]) -> None:
    codec = pytest.importorskip("numcodecs").Zlib()
    write_zarr(path, arrays, order="F", compressors=codec)


def write_zarr_v3(path: Path, arrays: list[Array]) -> None:
    write_zarr(path, arrays, 3)


def write_sharded_zarr(path: Path, arrays: list[Array]) -> None:
    zarr = pytest.importorskip("zarr", minversion="3")
    group = zarr.open_group(path, mode="w", zarr_format=3)
    for name, array in named(arrays).items():
        chunks = some_chunks(array)
        shards = tuple(2 * length for length in chunks)
        made = group.create_array(
            name, shape=array.shape, dtype=array.dtype, chunks=chunks, shards=shards
        )
        made[...] = array


# A new format's files are made here, in every way that its reader takes a different path.
KINDS: dict[str, dict[str, Write]] = {
    "npy": {"plain": write_npy},
    "npz": {"stored": write_npz, "deflated": write_deflated_npz},
    "h5": {"contiguous": write_h5, "chunked": write_chunked_h5},
    "mat": {"contiguous": write_mat, "chunked": write_chunked_mat},
    "safetensors": {"plain": write_safetensors},
    "pt": {"plain": write_pt},
    "zarr": {
        "v2": write_zarr,
        "v2-fortran": write_zarr_v2_in_fortran_order,
        "v3": write_zarr_v3,
        "v3-sharded": write_sharded_zarr,
    },
}
READERS = [row for row in TABLE if row.reader]
EVERY_KIND = [
    pytest.param(row, write, id=f"{row.name}-{kind}")
    for row in READERS
    for kind, write in KINDS[row.name].items()
]
every_kind = pytest.mark.parametrize(("row", "write"), EVERY_KIND)
every_reader = pytest.mark.parametrize("row", READERS, ids=lambda row: row.name)

NATIVE = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
BIG_ENDIAN = [">i2", ">u4", ">i8", ">f2", ">f4", ">f8"]
SHAPES = [(1, 1), (5, 7), (3, 1, 5), (4, 5, 6), (2, 3, 5, 7), (3, 1, 2, 5, 3)]


def some(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    """Values that use every byte of the dtype, so that a wrong byte order shows."""
    kind = np.dtype(dtype)
    rng = np.random.default_rng(seed)
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(kind)
    if kind.kind == "f":
        return rng.normal(size=shape).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, shape, kind.newbyteorder("="), True).astype(kind)


def open_as(row, path: Path) -> Reader:
    return load_reader(row)(str(path))  # type: ignore[call-arg]


def together(info: ArrayInfo, blocks: Iterator[tuple[Block, Array]]) -> Array:
    """Put the blocks of an array together, and hold each to the contract."""
    assert info.dtype is not None
    native = info.dtype.newbyteorder("=")
    whole = np.zeros(info.memory_shape, native)
    times = np.zeros(info.memory_shape, np.uint8)
    chunk = int(np.prod(info.chunks)) * native.itemsize if info.chunks else 0
    for block, values in blocks:
        assert values.shape == block.shape
        assert values.dtype == native
        assert values.dtype.isnative
        assert values.flags.c_contiguous
        assert 0 < values.nbytes <= max(BLOCK_BYTES, chunk, native.itemsize)
        box = tuple(slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))
        whole[box] = values
        times[box] += 1
    np.testing.assert_array_equal(times, 1)
    return whole.transpose() if info.fortran else whole


def read(row, path: Path) -> list[Array]:
    with open_as(row, path) as reader:
        infos = list(reader.arrays())
        return [together(info, reader.blocks(info)) for info in infos]


def assert_same(got: Array, expected: Array) -> None:
    assert got.shape == expected.shape
    native = expected.astype(expected.dtype.newbyteorder("="))
    assert got.dtype == native.dtype
    assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(native).tobytes()


def wide_open(row, path: Path) -> None:
    """Read everything in a file that may be broken."""
    with open_as(row, path) as reader:
        for info in list(reader.arrays()):
            if info.broken:
                raise InputError(info.refusal, "said of the array")
            if not info.refusal:
                for _ in reader.blocks(info):
                    pass


def what_goes_wrong(row, path: Path) -> Exception | None:
    try:
        wide_open(row, path)
    except (InputError, OSError) as error:
        return error
    return None


def refusal(row, path: Path) -> str:
    """How a file is refused: in words that can be shown, with what to do."""
    with pytest.raises(InputError) as caught:
        wide_open(row, path)
    error = caught.value
    assert error.message == printable(error.message)
    assert error.hint
    assert not error.message.endswith(".")
    return error.message


# A file of the second is also one of the first.
ONE_IS_THE_OTHER = {("npz", "pt"), ("h5", "mat")}


def files_of(path: Path) -> list[Path]:
    """The files that a file of a format is: itself, or those in a directory."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


class TestValues:
    @every_kind
    @pytest.mark.parametrize("dtype", NATIVE + BIG_ENDIAN)
    def test_every_dtype(self, row, write: Write, dtype: str, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        array = some((4, 5, 6), dtype)
        write(path, [array])

        assert_same(read(row, path)[0], array)

    @every_kind
    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_rank(self, row, write: Write, shape: tuple[int, ...], tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        array = some(shape, "f4")
        write(path, [array])

        assert_same(read(row, path)[0], array)

    @pytest.mark.parametrize(
        ("row", "write"),
        # Those that have both orders.
        [kind for kind in EVERY_KIND if kind.values[0].name in ("npy", "npz", "pt")],
    )
    @pytest.mark.parametrize("shape", SHAPES[1:])
    def test_fortran_order(self, row, write: Write, shape: tuple[int, ...], tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        array = np.asfortranarray(some(shape, ">f4"))
        write(path, [array])

        with open_as(row, path) as reader:
            (info,) = reader.arrays()
            assert info.shape == shape
            assert info.fortran == (not array.flags.c_contiguous)
            assert_same(together(info, reader.blocks(info)), array)

    @every_kind
    def test_several_arrays(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        arrays = [some((4, 5, 6), "f4", 1), some((2, 3), ">i2", 2), some((3, 1, 5, 7), "?", 3)]
        write(path, arrays)

        got = read(row, path)

        assert len(got) == len(arrays)
        for one, expected in zip(got, arrays, strict=True):
            assert_same(one, expected)

    @every_kind
    def test_arrays_in_any_order_and_twice(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        arrays = [some((4, 5, 6), "f4", seed) for seed in range(3)]
        write(path, arrays)

        with open_as(row, path) as reader:
            infos = list(reader.arrays())
            for i in (2, 0, 1, 0):
                assert_same(together(infos[i], reader.blocks(infos[i])), arrays[i])

    @every_kind
    def test_what_is_listed(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        write(path, [some((4, 5, 6), ">f4"), some((2, 3, 4), "u1")])

        with open_as(row, path) as reader:
            first, second = reader.arrays()

        assert (first.shape, second.shape) == ((4, 5, 6), (2, 3, 4))
        assert (first.dtype_name, second.dtype_name) == ("float32", "uint8")
        assert (first.nbytes, second.nbytes) == (480, 24)
        assert first.dataset != second.dataset
        assert not first.refusal
        assert not first.broken


class TestCut:
    """Blocks of arrays above the size of one block."""

    @pytest.mark.parametrize(
        ("row", "write"),
        # Thousands of tiny chunks take long; chunks of all sizes are in tests/formats.
        [kind for kind in EVERY_KIND if kind.values[1] is not write_chunked_h5],
    )
    @pytest.mark.parametrize(
        ("shape", "dtype"),
        [
            ((700, 601, 3), "f4"),
            ((5, 400001), "u1"),
            ((3, 5, 7, 41, 111), "f8"),
            ((1, 900001), "i2"),
        ],
    )
    def test_large_arrays(
        self, row, write: Write, shape: tuple[int, ...], dtype: str, tmp_path: Path
    ) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        array = some(shape, dtype)
        write(path, [array])

        assert_same(read(row, path)[0], array)

    @every_kind
    def test_the_cut_follows_from_the_array_alone(self, row, write: Write, tmp_path: Path) -> None:
        cuts = []
        for name, seed in (("one", 1), ("two", 2)):
            path = tmp_path / f"{name}{row.suffixes[0]}"
            write(path, [some((2, 2, 2), "f4"), some((40, 99, 101), "f8", seed)])
            with open_as(row, path) as reader:
                info = list(reader.arrays())[1]
                cuts.append([block for block, _ in reader.blocks(info)])
        assert cuts[0] == cuts[1]
        assert len(cuts[0]) > 1

    @pytest.mark.parametrize(
        ("row", "write"),
        # A member of an archive is a stream: it has no order but its own.
        [kind for kind in EVERY_KIND if kind.values[0].name != "npz"],
    )
    def test_parts_together_are_the_whole(
        self, row, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(formats_interface, "PART_BYTES", 2000)
        path = tmp_path / f"a{row.suffixes[0]}"
        array = some((1, 23, 10, 11), "f4")
        write(path, [array])

        with open_as(row, path) as reader:
            (info,) = reader.arrays()
            parts = cut_parts(info)
            assert len(parts) > 3
            assert_same(together(info, reader.blocks(info)), array)
            backwards = (pair for part in reversed(parts) for pair in reader.blocks(info, [part]))
            assert_same(together(info, backwards), array)


class TestRefusals:
    @every_reader
    def test_missing_file(self, row, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            wide_open(row, tmp_path / f"nothing{row.suffixes[0]}")

    @every_reader
    def test_empty_file(self, row, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        path.touch()

        assert refusal(row, path) == "is empty"

    @every_reader
    @pytest.mark.parametrize("content", [b"x", b"hello, world\n" * 9, bytes(5000), b"\x1b[31m" * 9])
    def test_wrong_content(self, row, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        path.write_bytes(content)

        assert refusal(row, path).startswith("is no ")

    @every_reader
    def test_a_directory(self, row, tmp_path: Path) -> None:
        with pytest.raises((InputError, IsADirectoryError)):
            wide_open(row, tmp_path)

    @every_kind
    def test_another_format(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / "a"
        (tmp_path / "b").mkdir()
        for other in READERS:
            if other is not row:
                original = tmp_path / "b" / f"a{other.suffixes[0]}"
                if other.marks or (row.name, other.name) in ONE_IS_THE_OTHER:
                    continue
                next(iter(KINDS[other.name].values()))(original, [some((4, 5, 6), "f4")])
                path.write_bytes(original.read_bytes())
                assert refusal(row, path).startswith("is no ")

    @every_kind
    def test_cut_short_anywhere(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        write(path, [some((4, 5, 6), "f4")])
        files = files_of(path)
        chunks = [file for file in files if file.name[0].isdigit()]
        for file in sorted({*files} - {*chunks[1:-1]}):
            if file.name == ".zattrs" or '"group"' in file.read_text(errors="replace"):
                continue  # Nothing in it is needed.
            whole = file.read_bytes()
            for length in {*range(1, 140), *range(140, len(whole), 41), len(whole) - 1}:
                if length < len(whole):
                    file.write_bytes(whole[:length])
                    assert refusal(row, path)
            file.write_bytes(whole)

    @pytest.mark.parametrize(
        ("row", "write"),
        # A flipped bit can crash a library, which no reader in this process survives.
        [kind for kind in EVERY_KIND if not kind.values[0].isolated],
    )
    def test_damage_gives_no_other_error(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        write(path, [some((3, 4, 5), "f4"), some((2, 2), "u1")])
        whole = path.read_bytes()
        rng = random.Random(20)
        for _ in range(300):
            damaged = bytearray(whole)
            for _ in range(rng.randint(1, 3)):
                place = rng.randrange(len(damaged))
                end = max(0, len(damaged) - 1 - rng.randrange(180))
                damaged[rng.choice([place, end])] = rng.choice([0, 1, 127, 255, rng.randrange(256)])
            path.write_bytes(damaged)
            error = what_goes_wrong(row, path)
            if isinstance(error, InputError):
                assert error.message == printable(error.message)
                assert error.hint

    @every_kind
    def test_a_closed_reader_leaves_no_file_open(self, row, write: Write, tmp_path: Path) -> None:
        path = tmp_path / f"a{row.suffixes[0]}"
        write(path, [some((4, 5, 6), "f4")])
        for _ in range(3):
            wide_open(row, path)
        # An open file would be a ResourceWarning, which is an error here.
        path.rename(tmp_path / "renamed")


def test_every_format_is_tested() -> None:
    assert set(KINDS) == {row.name for row in READERS}


def test_bool_of_any_byte_is_true(tmp_path: Path) -> None:
    """A stored bool may be any byte; what is read is 0 or 1."""
    raw = np.array([[0, 1, 2], [255, 128, 0]], np.uint8)
    plain = io.BytesIO()
    np.save(plain, raw.view(bool))
    (tmp_path / "a.npy").write_bytes(plain.getvalue())
    np.savez(tmp_path / "a.npz", a=raw.view(bool))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kind = h5py.h5t.py_create(np.dtype(bool), logical=True)
        dataset = h5py.h5d.create(file.id, b"a", kind, h5py.h5s.create_simple(raw.shape))
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, raw.view(bool), kind)
    write_safetensors(tmp_path / "a.safetensors", [raw.view(bool)])
    write_pt(tmp_path / "a.pt", [raw.view(bool)])
    for row in [row for row in READERS if (tmp_path / f"a{row.suffixes[0]}").exists()]:
        got = read(row, tmp_path / f"a{row.suffixes[0]}")[0]
        np.testing.assert_array_equal(got.view(np.uint8), [[0, 1, 1], [1, 1, 0]])


@every_kind
@pytest.mark.parametrize("dtype", ["f4", ">i2"])
def test_side_by_side_arrays_have_the_values_of_their_blocks(
    tmp_path: Path, row: Any, write: Write, dtype: str
) -> None:
    path = tmp_path / f"maps{row.suffixes[0]}"
    write(path, [np.arange(60, dtype=dtype).reshape(3, 4, 5) + i for i in range(4)])
    with load_reader(row)(str(path)) as reader:
        infos = list(reader.arrays())
        for first in range(len(infos)):
            together = reader.side_by_side(infos[first:]).copy()
            for info, values in zip(infos[first:], together, strict=False):
                (_, alone), *_ = reader.blocks(info)
                assert values.dtype == alone.dtype
                np.testing.assert_array_equal(values, alone)
