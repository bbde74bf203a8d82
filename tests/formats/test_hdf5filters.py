"""Undoing HDF5's filters: what comes out, and that bad bytes are seen within bounded memory."""

import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpool_cli.formats import hdf5filters
from gpool_cli.formats.hdf5filters import (
    ChunkError,
    Damaged,
    check_fletcher32,
    fletcher32,
    scratch_size,
    unshuffle,
)

DATA = np.random.default_rng(0).integers(0, 9, 4000, "u1")
STREAM = zlib.compress(DATA.tobytes())


@pytest.fixture(params=["libdeflate", "zlib"])
def inflate(request: pytest.FixtureRequest) -> Callable:
    if request.param == "libdeflate" and hdf5filters.libdeflate is None:
        pytest.skip("deflate is not installed")
    return getattr(hdf5filters, f"inflate_{request.param}")


def as_bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


class TestInflate:
    @pytest.mark.parametrize("after", [b"", b"trailing"])
    def test_a_stream_and_what_follows_it(self, inflate: Callable, after: bytes) -> None:
        assert inflate(as_bytes(STREAM + after), 4000) == DATA.tobytes()

    @pytest.mark.parametrize(
        ("stored", "error"),
        [
            (zlib.compress(DATA[:-1].tobytes()), ChunkError),
            (zlib.compress(b""), ChunkError),
            (zlib.compress(DATA.tobytes() + b"x"), Damaged),
            (STREAM[:-6], Damaged),
            (STREAM[:-1], Damaged),
            (STREAM[:-1] + bytes([STREAM[-1] ^ 1]), Damaged),
            (STREAM[:20] + b"\xff\x00\xff" + STREAM[23:], Damaged),
            (bytes(50), Damaged),
            (b"\x1f\x8b\x08" + bytes(60), Damaged),
        ],
        ids=["short", "empty", "long", "cut", "cut1", "checksum", "flipped", "zeros", "gzip"],
    )
    def test_what_is_no_such_stream(
        self, inflate: Callable, stored: bytes, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            inflate(as_bytes(stored), 4000)

    def test_a_bomb_takes_no_more_than_the_chunk(self, inflate: Callable) -> None:
        stored = as_bytes(zlib.compress(bytes(50 << 20)))
        size = 1 << 20
        tracemalloc.start()
        with pytest.raises(Damaged):
            inflate(stored, size)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2.2 * size + 100_000  # zlib joins its pieces at the end.


def plain_fletcher32(data: bytes) -> int:
    """As HDF5 does it."""
    s1 = s2 = 0
    for i in range(0, len(data), 2):
        s1 += data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0)
        s1 = (s1 & 0xFFFF) + (s1 >> 16)
        s2 += s1
        s2 = (s2 & 0xFFFF) + (s2 >> 16)
    return s2 << 16 | s1


class TestFletcher32:
    @settings(max_examples=100, deadline=None)
    @given(st.binary(min_size=1, max_size=300), st.integers(1, 100))
    def test_is_that_of_hdf5(self, data: bytes, times: int) -> None:
        data = data * times
        assert fletcher32(as_bytes(data)) == plain_fletcher32(data)

    @pytest.mark.parametrize("n", [1, 2, 3, 16383, 16384, 16385, 131071, 131072, 131073])
    @pytest.mark.parametrize("byte", [0, 1, 0xFF, None])
    def test_at_every_seam(self, n: int, byte: int | None) -> None:
        random = np.random.default_rng(n).integers(0, 256, n, "u1")
        data = random if byte is None else np.full(n, byte, "u1")
        assert fletcher32(data) == plain_fletcher32(data.tobytes())

    def test_in_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hdf5filters, "_MOST_ROWS", 2)
        data = np.random.default_rng(0).integers(0, 256, 100_001, "u1")
        assert fletcher32(data) == plain_fletcher32(data.tobytes())

    def test_lanes_hold_the_largest_sums(self) -> None:
        data = np.full(16 << 20, 0xFF, "u1")
        words = len(data) // 2
        # 65535 times any number of words is a positive multiple of 65535 in both sums.
        assert fletcher32(data) == 0xFFFFFFFF
        data[-1] = 0xFE
        s1, s2 = 65535 * words - 1, 65535 * words * (words + 1) // 2 - 1
        assert fletcher32(data) == s2 % 65535 << 16 | s1 % 65535

    def test_the_swapped_form_of_old_versions_is_good_and_no_other(self) -> None:
        data = DATA.tobytes()
        due = plain_fletcher32(data).to_bytes(4, "little")
        for order, good in (((0, 1, 2, 3), True), ((1, 0, 3, 2), True), ((2, 3, 0, 1), False)):
            stored = as_bytes(data + bytes(due[i] for i in order))
            if good:
                assert check_fletcher32(stored).tobytes() == data
            else:
                with pytest.raises(Damaged):
                    check_fletcher32(stored)

    @pytest.mark.parametrize("n", [0, 3, 4])
    def test_nothing_but_a_checksum(self, n: int) -> None:
        with pytest.raises(ChunkError):
            check_fletcher32(np.zeros(n, np.uint8))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(0, 300_000), st.booleans(), st.integers(0, 2**32 - 1))
def test_unshuffle_is_the_transposed_copy(
    itemsize: int, length: int, swap: bool, seed: int
) -> None:
    planes = np.random.default_rng(seed).integers(0, 256, length, "u1")
    n = length // itemsize
    want = planes[: n * itemsize].reshape(itemsize, n).T
    want = np.concatenate([(want[:, ::-1] if swap else want).reshape(-1), planes[n * itemsize :]])
    out = np.full(length, 77, "u1")
    unshuffle(planes, out, itemsize, np.full(scratch_size(itemsize), 55, "u1"), swap=swap)
    np.testing.assert_array_equal(out, want)
