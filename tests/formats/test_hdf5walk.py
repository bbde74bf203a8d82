"""The walk through an HDF5 file, stopped anywhere and gone on with."""

import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.hdf5walk import Walk, any_name, is_lacking

NAMES = st.sampled_from(["a", "b", "c", "ab", "z z", "ä", "ß"])
# What is made in turn, in a group that is there by then: links may lead up, across and nowhere.
KINDS = st.sampled_from(["group", "dataset", "hard", "soft", "lost", "outside", "type"])
THINGS = st.lists(st.tuples(KINDS, st.integers(0, 99), NAMES), max_size=25)


def build(path: Path, things: list[tuple[str, int, str]]) -> None:
    with h5py.File(path, "w") as file:
        groups = ["/"]
        for kind, number, name in things:
            group = file[groups[number % len(groups)]]
            if name in group:
                continue
            if kind == "group":
                groups.append(group.create_group(name).name)
            elif kind == "dataset":
                group[name] = np.ones((2, 3), "f4")
            elif kind == "hard":
                group[name] = file[groups[number // 3 % len(groups)]]
            elif kind == "soft":
                group[name] = h5py.SoftLink(groups[number // 3 % len(groups)])
            elif kind == "lost":
                group[name] = h5py.SoftLink("nowhere")
            elif kind == "outside":
                group[name] = h5py.ExternalLink("other.h5", "/")
            else:
                group[name] = np.dtype("f4")


def words_of(walk: Walk) -> Iterator[tuple[object, ...]]:
    for node in walk:
        yield node.name, node.is_group, node.is_dataset, node.closed, node.reason, node.broken


def in_parts(
    path: Path, wanted: Callable[[str], bool], most: int
) -> tuple[list[tuple[object, ...]], int]:
    """What walks find that stop after so many datasets, each in a file opened anew."""
    found: list[tuple[object, ...]] = []
    place, count = None, 0
    while True:
        count += 1
        with h5py.File(path) as file:
            walk = Walk(file.id, wanted, place=place)
            datasets = 0
            for words in words_of(walk):
                datasets += bool(words[2])
                if datasets > most:
                    break
                found.append(words)
            else:
                return found, count
            place = pickle.loads(pickle.dumps(walk.place()))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk") / "x.h5"


@given(things=THINGS, most=st.integers(1, 4), short=st.booleans())
def test_parts_make_the_whole(path: Path, things, most: int, short: bool) -> None:
    build(path, things)

    def wanted(name: str) -> bool:
        return not short or len(name) % 2 == 0

    with h5py.File(path) as file:
        whole = list(words_of(Walk(file.id, wanted)))
    found, count = in_parts(path, wanted, most)
    assert found == whole
    assert count == max(1, -(-sum(bool(words[2]) for words in whole) // most))


@given(things=THINGS, most=st.integers(1, 4))
def test_a_reader_lists_the_same_in_parts(path: Path, things, most: int) -> None:
    build(path, things)
    with Hdf5Reader(str(path)) as reader:
        whole = list(reader.arrays())
        groups = reader._groups
    found, place, below = [], None, []
    while True:
        with Hdf5Reader(str(path)) as reader:
            infos, place = reader.next_arrays(any_name, most, place)
            assert sum(info.dtype is not None for info in infos) <= most
            found += infos
            below += reader._groups
        if place is None:
            break
    assert (found, below) == (whole, groups)


@given(things=THINGS, parts=st.lists(NAMES, min_size=1, max_size=3))
def test_what_is_lacking_is_never_found(path: Path, things, parts: list[str]) -> None:
    build(path, things)
    name = "/".join(parts)
    with h5py.File(path) as file:
        names = {node.name for node in Walk(file.id)}
        assert not (is_lacking(file.id, name) and name in names)
        assert is_lacking(file.id, name) or name in file or _leads_out(file, parts)
        assert not is_lacking(file.id, "")


def test_damage_on_the_way_is_no_lack(path: Path) -> None:
    """HDF5 tells it to who comes first alone: a listing in the same file would see none."""
    with h5py.File(path, "w") as file:
        file["a/x"] = file["b/x"] = np.ones(3)
    raw = bytearray(path.read_bytes())
    heap = raw.index(b"HEAP", raw.index(b"HEAP") + 1)  # The root's is the first.
    struct.pack_into("<Q", raw, heap + 16, 1 << 20)  # Where its free space begins.
    path.write_bytes(raw)
    with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="can't be searched"):
        reader.lacks("a/y")
    with Hdf5Reader(str(path)) as reader:
        assert reader.lacks("c/x")
        assert not reader.lacks("b/x")


def _leads_out(file: h5py.File, parts: list[str]) -> bool:
    """Whether a link that leads nowhere, or out of the file, or a dataset is on the way."""
    for i in range(1, len(parts) + 1):
        above = "/".join(parts[:i])
        link = file.get(above, getlink=True)
        if not isinstance(link, h5py.HardLink) or not isinstance(file[above], h5py.Group):
            return True
    return False


def test_a_place_that_is_gone_is_said(tmp_path: Path) -> None:
    path = tmp_path / "gone.h5"
    build(path, [("group", 0, "a"), ("dataset", 1, "a"), ("dataset", 1, "b")])
    with Hdf5Reader(str(path)) as reader:
        infos, place = reader.next_arrays(any_name, 1)
        assert [info.dataset for info in infos] == ["a/a"]
    build(path, [("dataset", 0, "a")])
    with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="has changed"):
        reader.next_arrays(any_name, 1, place)
    build(path, [("dataset", 0, "b")])
    with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="can't be opened"):
        reader.next_arrays(any_name, 1, place)
