"""Every reader over the network: the contract's values, from no more bytes than the file has."""

import gc
import threading
from pathlib import Path

import h5py
import pytest

from gpool_cli.formats import load_reader, row_named
from gpool_cli.remote import calls
from tests.contracts.test_readers import EVERY_KIND, assert_same, some, together
from tests.servers.store import Store

ONE_FILE = [kind for kind in EVERY_KIND if not kind.values[0].marks]


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "whole"])
@pytest.mark.parametrize(("row", "write"), ONE_FILE)
def test_values_come_over_the_network(  # type: ignore[no-untyped-def]
    store: Store, tmp_path: Path, row, write, ranges: bool
) -> None:
    arrays = [some((4, 50, 60, 7), ">f4", 1), some((3, 200, 64), "u1", 2), some((2, 3, 5), "f8")]
    path = tmp_path / f"a{row.suffixes[0]}"
    write(path, arrays)
    data = store.files[f"b/{path.name}"] = path.read_bytes()
    store.ranges = ranges
    with load_reader(row)(f"{store.url}/b/{path.name}") as reader:
        for info, expected in zip(list(reader.arrays()), arrays, strict=True):
            assert_same(together(info, reader.blocks(info)), expected)
    assert not ranges or store.bytes_asked <= len(data)


def test_the_thread_of_the_network_collects_no_object_of_hdf5(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freeing one waits for HDF5's lock, which is held while HDF5 waits for that thread."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=some((500, 100, 40), "f4"), chunks=(1, 10, 40))
    store.files["b/a.h5"] = path.read_bytes()
    circles = [circle() for _ in range(100)]
    trying = calls.trying

    async def with_garbage(*arguments, **named):  # type: ignore[no-untyped-def]
        assert threading.current_thread() is not threading.main_thread()
        assert not gc.isenabled()  # The test would wait forever, and not fail.
        if circles:
            circles.pop()
        return await trying(*arguments, **named)

    monkeypatch.setattr(calls, "trying", with_garbage)
    seldom = gc.get_threshold()
    gc.set_threshold(1)
    try:
        with load_reader(row_named("h5"))(f"{store.url}/b/a.h5") as reader:
            for info in reader.arrays():
                assert sum(len(block.shape) for block, _ in reader.blocks(info)) > 0
    finally:
        gc.set_threshold(*seldom)
    assert len(circles) < 100
    assert gc.isenabled()


def circle() -> list[object]:
    """Something that only the collector frees, with an object of HDF5's in it."""
    round_: list[object] = [h5py.h5s.create_simple((1,))]
    round_.append(round_)
    return round_
