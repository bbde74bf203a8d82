"""Reading past the HDF5 library: byte for byte what h5py gives, and errors where it errs or worse.

Every file is read three ways: by offset, through the library, and by h5py in one go.
"""

import ctypes
import itertools
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

from gpool_cli.errors import InputError
from gpool_cli.formats import hdf5chunks, hdf5filters, hdf5raw
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.hdf5source import LibrarySource
from gpool_cli.model import ArrayInfo, Block, Part

DTYPES = ["<f2", "<f4", "<f8", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8"]
DTYPES += [">f2", ">f4", ">f8", ">i2", ">u8"]


@pytest.fixture(autouse=True)
def _small_chunks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of tests are small; chunks of all sizes go past the library here."""
    monkeypatch.setattr(hdf5raw, "_LEAST_UNFILTERED", 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


@pytest.fixture(params=["libdeflate", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "libdeflate" and hdf5filters.libdeflate is None:
        pytest.skip("deflate is not installed")
    monkeypatch.setattr(hdf5filters, "inflate", getattr(hdf5filters, f"inflate_{request.param}"))


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """What a layer with ReLU gives."""
    return np.maximum(np.random.default_rng(0).normal(0, 20, shape), 0).astype(dtype)


Blocks = list[tuple[Block, bytes]]


def blocks_of(path: Path, name: str = "m", *, raw: bool = True) -> Blocks:
    """The blocks of a dataset by offset or through the library; fails where it is not that way."""
    with Hdf5Reader(str(path)) as reader:
        if not raw and reader._raw is not None:
            reader._raw.close()
            reader._raw = None
        (info,) = (info for info in reader.arrays() if info.dataset == name)
        blocks = []
        for block, values in reader.blocks(info):
            assert values.flags.c_contiguous
            assert values.dtype.isnative
            assert values.shape == block.shape
            blocks.append((block, values.tobytes()))
        assert reader._last is not None
        assert isinstance(reader._last[1], LibrarySource) != raw
        return blocks


def check(path: Path, name: str = "m") -> np.ndarray:
    """Read a dataset in all ways, and give it."""
    by_offset = blocks_of(path, name)
    assert by_offset == blocks_of(path, name, raw=False)
    with h5py.File(path) as file:
        whole = file[name][()]
    whole = whole.astype(whole.dtype.newbyteorder("="))
    for block, data in by_offset:
        box = tuple(slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))
        assert whole[box].tobytes() == data
    assert sum(len(data) for _, data in by_offset) == whole.nbytes
    return whole


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        blocks_of(path)
    assert caught.value.hint == "copy or save the file again"
    return caught.value.message


def low_level(
    path: Path,
    values: np.ndarray,
    chunks: tuple[int, ...],
    filters: str,
    *,
    change: Callable[[h5p.PropDCID], object] = lambda plist: None,
    maxshape: tuple[int, ...] | None = None,
    write: bool = True,
    libver: str = "earliest",
) -> None:
    """A dataset with what h5py's high level does not do: filters in any order (d, s, f)."""
    with h5py.File(path, "w", libver=libver) as file:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk(chunks)
        for letter in filters:
            set_filter = {"s": plist.set_shuffle, "f": plist.set_fletcher32}
            set_filter.get(letter, lambda: plist.set_deflate(4))()
        change(plist)
        space = h5s.create_simple(values.shape, maxshape or values.shape)
        dsid = h5d.create(file.id, b"m", h5t.py_create(values.dtype), space, plist)
        if write:
            dsid.write(h5s.ALL, h5s.ALL, values)


class TestSameAsH5py:
    # What inflates knows nothing of versions: each has its turn.
    @pytest.mark.parametrize(
        ("libver", "inflater"),
        [("earliest", "libdeflate"), ("latest", "zlib")],
        indirect=["inflater"],
    )
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_every_dtype_and_filter(
        self, dtype: str, libver: str, inflater: None, path: Path
    ) -> None:
        values = numbers((11, 9, 7, 5), dtype)
        filters = list(itertools.product([None, 4], [False, True], [False, True]))
        with h5py.File(path, "w", libver=libver) as file:
            file["plain"] = values
            for i, (gzip, shuffle, checksum) in enumerate(filters):
                options = {"compression": gzip, "shuffle": shuffle, "fletcher32": checksum}
                file.create_dataset(f"{i}", data=values, chunks=(4, 9, 3, 5), **options)
        for name in ["plain", *map(str, range(len(filters)))]:
            np.testing.assert_array_equal(check(path, name), values)

    @pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "u1"])
    @pytest.mark.parametrize("gzip", [None, 1])
    def test_chunks_of_many_sizes(self, dtype: str, gzip: int | None, path: Path) -> None:
        """Larger than a tile and a block, several to a block and in one piece there, cropped."""
        values = numbers((9, 33, 1001), dtype)
        sizes = [(2, 33, 1001), (9, 33, 1001), (1, 33, 1001), (3, 10, 1001), (4, 33, 300)]
        with h5py.File(path, "w") as file:
            for i, chunks in enumerate(sizes):
                options = {"compression": gzip, "shuffle": bool(gzip), "fletcher32": bool(gzip)}
                file.create_dataset(str(i), data=values, chunks=chunks, **options)
            options = {"chunks": (16, 64, 2000), "maxshape": (None,) * 3, "compression": gzip}
            file.create_dataset("wider", data=values, **options)
        for name in [*map(str, range(len(sizes))), "wider"]:
            np.testing.assert_array_equal(check(path, name), values)

    @pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "i1"])
    @pytest.mark.parametrize(
        "filters", ["".join(p) for n in range(4) for p in itertools.permutations("dsf", n)]
    )
    def test_any_order_and_any_mask(
        self, filters: str, dtype: str, inflater: None, path: Path
    ) -> None:
        values = numbers((8, 21), dtype)
        # HDF5 records no new mask for a chunk that keeps its size: they are all new.
        low_level(path, values, (1, 21), filters, write=False)
        with h5py.File(path, "r+") as file:
            for row in range(8):
                mask = row % 2 ** len(filters)
                data = encode(values[row], filters, mask)
                file["m"].id.write_direct_chunk((row, 0), data, mask)
        np.testing.assert_array_equal(check(path), values)

    @pytest.mark.parametrize("libver", ["earliest", "latest"])
    @pytest.mark.parametrize("prepended", [False, True])
    def test_a_user_block(self, prepended: bool, libver: str, path: Path) -> None:
        values = numbers((10, 9), "f4")
        block = {} if prepended else {"userblock_size": 1024}
        with h5py.File(path, "w", libver=libver, **block) as file:
            file["x"] = values
            file.create_dataset("y", data=values, chunks=(3, 4))
            file.create_dataset("z", data=values, chunks=(3, 4), compression=4, shuffle=True)
        if prepended:
            path.write_bytes(bytes(512) + path.read_bytes())
        for name in "xyz":
            np.testing.assert_array_equal(check(path, name), values)

    def test_bytes_after_a_zlib_stream(self, inflater: None, path: Path) -> None:
        values = numbers((2, 64), "f4")
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=values, chunks=(1, 64), compression=1)
            data = zlib.compress(values[1].tobytes()) + b"trailing"
            dataset.id.write_direct_chunk((1, 0), data)
        np.testing.assert_array_equal(check(path), values)


def encode(row: np.ndarray, filters: str, mask: int) -> bytes:
    data, size = row.tobytes(), row.dtype.itemsize
    for i, letter in enumerate(filters):
        if mask >> i & 1:
            continue
        if letter == "d":
            data = zlib.compress(data)
        elif letter == "s":
            n = len(data) // size
            planes = np.frombuffer(data[: n * size], "u1").reshape(n, size).T.tobytes()
            data = planes + data[n * size :]
        else:
            data += struct.pack("<I", hdf5filters.fletcher32(np.frombuffer(data, "u1")))
    return data


U = h5s.UNLIMITED


class TestIndexes:
    @pytest.mark.parametrize("filters", ["", "sd"])
    @pytest.mark.parametrize("libver", ["earliest", "latest"])
    @pytest.mark.parametrize(
        ("chunks", "maxshape", "early"),
        [
            ((10, 7), None, False),
            ((3, 7), None, True),
            ((3, 4), None, False),
            ((3, 4), (50, 7), False),
            ((3, 4), (U, 7), False),
            ((3, 4), (U, U), False),
        ],
        ids=["single", "implicit", "fixed", "fixed with room", "extensible", "b-tree"],
    )
    def test_every_kind(
        self,
        chunks: tuple[int, ...],
        maxshape: tuple[int, ...] | None,
        early: bool,
        libver: str,
        filters: str,
        path: Path,
    ) -> None:
        def change(plist: h5p.PropDCID) -> None:
            plist.set_fill_value(np.array(7.5, "f4"))
            if early:
                plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)

        options = {"change": change, "maxshape": maxshape, "libver": libver}
        low_level(path, numbers((10, 7), "f4"), chunks, filters, write=False, **options)
        with h5py.File(path, "r+", libver=libver) as file:
            file["m"][2:8] = numbers((6, 7), "f4")
        check(path)
        if maxshape is not None:
            for rows in (5, 40):
                with h5py.File(path, "r+", libver=libver) as file:
                    file["m"].resize((rows, 7))
                check(path)

    @pytest.mark.parametrize("fill_time", [h5d.FILL_TIME_NEVER, h5d.FILL_TIME_IFSET])
    @pytest.mark.parametrize("fill", [None, 4.25])
    @pytest.mark.parametrize("dtype", ["<f4", ">f4"])
    @pytest.mark.parametrize("filters", ["", "d"])
    def test_chunks_that_were_never_written(
        self, filters: str, dtype: str, fill: float | None, fill_time: int, path: Path
    ) -> None:
        def change(plist: h5p.PropDCID) -> None:
            plist.set_fill_time(fill_time)
            if fill is not None:
                plist.set_fill_value(np.array(fill, "f4"))

        low_level(path, numbers((7, 8), dtype), (2, 3), filters, change=change, write=False)
        with h5py.File(path, "r+") as file:
            file["m"][2:4, 3:6] = 1
        expected = 0 if fill is None or fill_time == h5d.FILL_TIME_NEVER else fill
        assert check(path)[0, 0] == expected

    def test_nearly_empty_gigabytes_cost_nothing(self, path: Path) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            file.create_dataset("m", (1 << 16, 1 << 14), "f4", chunks=(64, 64), compression=1)
            file["m"][0, 70] = 3
        with Hdf5Reader(str(path)) as reader:
            (info,) = reader.arrays()
            blocks = reader.blocks(info, [Part(0, 0, 64)])
            _, values = next(blocks)
            assert values.sum() == values[0, 70] == 3
            blocks.close()

    @pytest.mark.parametrize("chunks", [(64, 64), None])
    def test_a_petabyte_of_which_nothing_was_written_is_refused(
        self, chunks: tuple[int, ...] | None, path: Path
    ) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("m", (1 << 30, 1 << 18), "f4", chunks=chunks)
        with Hdf5Reader(str(path)) as reader:
            (info,) = reader.arrays()
        assert info.refusal == "declares 1.13 PB, of which 0 B were ever written"
        assert info.broken

    @pytest.mark.parametrize("held", [1, 2, 7, 19, 20])
    @pytest.mark.parametrize("gaps", [False, True])
    def test_an_index_in_windows(
        self, held: int, gaps: bool, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hdf5chunks, "_MOST_HELD", held)
        low_level(path, numbers((20, 3), "f4"), (1, 3), "d", write=not gaps)
        if gaps:
            with h5py.File(path, "r+") as file:
                file["m"][3:12:2] = 5
        check(path)

    def test_without_chunk_iter(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hdf5chunks, "_HAS_ITER", False)
        low_level(path, numbers((20, 3), "f4"), (1, 3), "d")
        check(path)
        monkeypatch.setattr(hdf5chunks, "_MOST_BY_NUMBER", 19)
        blocks_of(path, raw=False)
        with pytest.raises(AssertionError):
            blocks_of(path)

    @pytest.mark.parametrize(
        ("chunks", "message"),
        [
            ([((0, 1), 0, 9, 9)], "is not at a multiple"),
            ([((0, 0), 0, None, 9)], "has no address"),
            ([((0, 0), 0, 9, 9), ((0, 0), 0, 9, 9), ((2, 0), 0, 9, 9)], "is listed twice"),
            ([((0, 0), 0, 9, 9)] * 9, "is one more than there can be"),
            ([((0, 0), 0, 9, 9), ((8, 0), 0, 9, 9)], "lies outside of the array"),
        ],
    )
    def test_what_can_not_be(self, chunks: list, message: str) -> None:
        class Asked:
            def chunk_iter(self, take: Callable) -> None:
                any(take(chunk) is not None for chunk in chunks)

        with pytest.raises(hdf5filters.ChunkError, match=message):
            hdf5chunks.ChunkIndex.of(Asked(), (8, 4), (2, 4))

    def test_out_of_order_with_gaps(self) -> None:
        class Asked:
            def chunk_iter(self, take: Callable) -> None:
                for row in (6, 2, 0):
                    take(((row, 0), 0, row * 10, 5))

        index = hdf5chunks.ChunkIndex.of(Asked(), (8, 4), (2, 4))
        assert len(index) == 3
        assert [chunk and chunk.offset for chunk in map(index.get, range(5))] == [
            *(0, 20, None, 60, None)
        ]


def dont_filter_partial(plist: h5p.PropDCID) -> None:
    libs = list((Path(h5py.__file__).parent.parent / "h5py.libs").glob("libhdf5-*"))
    if not libs:
        pytest.skip("needs the library's own call")
    assert ctypes.CDLL(str(libs[0])).H5Pset_chunk_opts(ctypes.c_int64(plist.id), 2) >= 0


@pytest.mark.parametrize("filters", ["sd", "s", "d", "f", "sf", "df", ""])
@pytest.mark.parametrize("maxshape", [None, (30, 9), (U, 9), (U, U)])
def test_edge_chunks_left_unfiltered(
    filters: str, maxshape: tuple[int, ...] | None, path: Path
) -> None:
    values = numbers((10, 9), "f4")
    options = {"change": dont_filter_partial, "maxshape": maxshape, "libver": "latest"}
    low_level(path, values, (4, 4), filters, **options)
    np.testing.assert_array_equal(check(path), values)


class TestLeftToH5py:
    @pytest.mark.parametrize(
        "make",
        [
            lambda file: file.create_dataset("m", data=np.ones((5, 5), bool)),
            lambda file: file.create_dataset("m", (5, 5), "f4"),
            lambda file: file.create_dataset("m", data=np.ones((5, 5), "f4"), compression="lzf"),
            lambda file: file.create_dataset("m", data=np.ones((5, 5), "i4"), scaleoffset=0),
        ],
        ids=["bool", "never written", "lzf", "scale-offset"],
    )
    def test_other_types_and_filters(self, make: Callable[[h5py.File], object], path: Path) -> None:
        with h5py.File(path, "w") as file:
            make(file)
        blocks_of(path, raw=False)
        with pytest.raises(AssertionError):
            blocks_of(path)

    def test_an_odd_precision(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            odd = h5t.STD_I16LE.copy()
            odd.set_precision(12)
            h5d.create(file.id, b"m", odd, h5s.create_simple((5,)))
            file["m"][...] = 5
        ((_, data),) = blocks_of(path, raw=False)
        assert data == np.full(5, 5, "i2").tobytes()
        with pytest.raises(AssertionError):
            blocks_of(path)

    def test_gaps_are_zeros_and_nothing_stale(self, path: Path) -> None:
        """HDF5 leaves memory as it was where it has nothing to put."""
        with h5py.File(path, "w") as file:
            plist = h5p.create(h5p.DATASET_CREATE)
            plist.set_chunk((1024, 512))
            plist.set_fill_time(h5d.FILL_TIME_NEVER)
            plist.set_filter(32000)
            space = h5s.create_simple((2048, 512))
            h5d.create(file.id, b"m", h5t.IEEE_F32LE, space, plist)
            file["m"][:1024] = 3
        (_, first), (_, second) = blocks_of(path, raw=False)
        assert first == np.full((1024, 512), 3, "f4").tobytes()
        assert second == bytes(len(first))

    def test_files_that_are_not_only_read(self, path: Path) -> None:
        low_level(path, numbers((4, 4), "f4"), (2, 2), "d")
        with h5py.File(path, "r+") as file:
            assert hdf5raw.RawFile.of(file) is None
        with h5py.File(path, driver="core") as file:
            assert hdf5raw.RawFile.of(file) is None
        with path.open("rb") as opened, h5py.File(opened) as file:
            assert hdf5raw.RawFile.of(file) is None


VALUES = numbers((4, 64), "f4")
SHUFFLED = np.frombuffer(VALUES[1].tobytes(), "u1").reshape(64, 4).T.tobytes()


class TestDamage:
    @pytest.mark.parametrize(
        "stored",
        [
            zlib.compress(SHUFFLED[:-1]),
            zlib.compress(SHUFFLED + b"x"),
            zlib.compress(SHUFFLED)[:-6],
            zlib.compress(SHUFFLED)[:20] + b"\xff\x00\xff" + zlib.compress(SHUFFLED)[23:],
            bytes(50),
            zlib.compress(bytes(1 << 20)),
            zlib.compress(SHUFFLED) + bytes(5000),
        ],
        ids=["short", "long", "cut off", "flipped", "zeros", "bomb", "stored too long"],
    )
    def test_a_deflated_chunk(self, stored: bytes, inflater: None, path: Path) -> None:
        options = {"chunks": (1, 64), "compression": 1, "shuffle": True}
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=VALUES, **options)
            dataset.id.write_direct_chunk((1, 0), stored)
        assert refusal(path).startswith("can't be read at (1, 0): it")

    @pytest.mark.parametrize("filters", ["s", "f", "sf"])
    @pytest.mark.parametrize("by", [-256, -4, -1, 1, 4, 5000])
    def test_a_chunk_of_another_size(self, filters: str, by: int, path: Path) -> None:
        low_level(path, VALUES, (1, 64), filters, maxshape=(U, 64))
        with h5py.File(path, "r+") as file:
            size = max(1, 256 + 4 * filters.count("f") + by)
            file["m"].id.write_direct_chunk((1, 0), bytes(size))
        assert refusal(path).startswith("can't be read at (1, 0): it")

    @pytest.mark.parametrize("filters", ["f", "df"])
    def test_every_flipped_bit_is_seen_under_a_checksum(self, filters: str, path: Path) -> None:
        low_level(path, VALUES[:1], (1, 64), filters)
        with h5py.File(path) as file:
            info = file["m"].id.get_chunk_info(0)
        whole = path.read_bytes()
        for bit in range(0, info.size * 8, 23):
            damaged = bytearray(whole)
            damaged[info.byte_offset + bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            assert refusal(path).startswith("can't be read at (0, 0): its fletcher32 checksum is")

    @pytest.mark.parametrize("chunks", [None, (1, 64)])
    def test_a_file_that_is_cut_off_while_it_is_read(
        self, chunks: tuple[int, ...] | None, path: Path
    ) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=VALUES, chunks=chunks)
            file.flush()
            offset = dataset.id.get_offset() or dataset.id.get_chunk_info(3).byte_offset
        with Hdf5Reader(str(path)) as reader:
            (info,) = reader.arrays()
            os.truncate(path, offset + 10)
            with pytest.raises(InputError, match=r"can't be read at \(\d, 0\): the file ends at"):
                list(reader.blocks(info))

    def test_an_index_that_leads_out_of_the_file(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        low_level(path, VALUES, (1, 64), "d")
        get = hdf5chunks.ChunkIndex.get
        away = lambda index, place: get(index, place)._replace(offset=1 << 62)  # noqa: E731
        monkeypatch.setattr(hdf5chunks.ChunkIndex, "get", away)
        assert "lie outside the file's" in refusal(path)

    def test_a_dataset_that_is_another_than_the_one_listed(self, path: Path) -> None:
        low_level(path, VALUES, (1, 64), "d")
        for shape, dtype in (((4, 65), "f4"), ((4, 64), "f8")):
            info = ArrayInfo("m", shape, np.dtype(dtype), chunks=(1, 64))
            with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="has changed"):
                next(reader.blocks(info))
        info = ArrayInfo("m", (4, 64), np.dtype("f4"), chunks=(3, 64))
        with Hdf5Reader(str(path)) as reader:
            blocks = [values.copy() for _, values in reader.blocks(info)]
        np.testing.assert_array_equal(np.concatenate(blocks), VALUES)


@pytest.mark.parametrize("reopened", [False, True])
def test_one_index_for_all_parts(
    reopened: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5raw, "_MANY_CHUNKS", 1 if reopened else 1000)
    monkeypatch.setattr(hdf5raw, "_kept", None)
    low_level(path, VALUES, (1, 64), "d")
    made = []
    of = hdf5chunks.ChunkIndex.of
    monkeypatch.setattr(
        hdf5chunks.ChunkIndex, "of", lambda *given: made.append(given) or of(*given)
    )
    with Hdf5Reader(str(path)) as reader:
        (info,) = reader.arrays()
        for _ in range(3):
            list(reader.blocks(info))
    assert len(made) == 1
    blocks_of(path)
    assert len(made) == (1 if reopened else 2)
    low_level(path, VALUES, (1, 64), "sd")
    check(path)


def test_arrays_that_look_alike_have_an_index_each(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5raw, "_MANY_CHUNKS", 1)
    with h5py.File(path, "w") as file:
        for i in range(3):
            options = {"chunks": (1, 64), "compression": "gzip"}
            file.create_dataset(f"g{i}/m", data=VALUES + i, **options)
    for i in (0, 1, 0, 2):
        check(path, f"g{i}/m")


def test_small_plain_chunks_are_left_to_h5py(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5raw, "_LEAST_UNFILTERED", 257)
    low_level(path, VALUES, (1, 64), "")
    blocks_of(path, raw=False)
    with pytest.raises(AssertionError):
        blocks_of(path)


@pytest.mark.parametrize("filters", ["", "d"])
def test_a_small_chunk_that_is_too_short_is_refused(
    filters: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HDF5 would read past its buffer, and give what lies there for values."""
    monkeypatch.setattr(hdf5raw, "_LEAST_UNFILTERED", 1 << 18)
    low_level(path, VALUES, (1, 64), filters, write=False)
    with h5py.File(path, "r+") as file:
        data = zlib.compress(bytes(16)) if filters else bytes(16)
        file["m"].id.write_direct_chunk((0, 0), data)
    with Hdf5Reader(str(path)) as reader:
        (info,) = reader.arrays()
        with pytest.raises(InputError, match=r"can't be read at \(0, 0\)"):
            list(reader.blocks(info))


def test_two_arrays_read_in_turn_keep_out_of_each_others_memory(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for i in range(2):
            file.create_dataset(f"{i}", data=VALUES + i, chunks=(1, 64), compression=1)
    with Hdf5Reader(str(path)) as reader:
        one, two = (reader.blocks(info) for info in reader.arrays())
        for i, ((_, a), (_, b)) in enumerate(zip(one, two, strict=True)):
            assert i == 0
            np.testing.assert_array_equal(a, VALUES)
            np.testing.assert_array_equal(b, VALUES + 1)
