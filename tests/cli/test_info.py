"""``gpool info``: every array, also those that would be skipped."""

import json

import h5py
import numpy as np
import pytest

from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.npy import NpyReader


@pytest.fixture
def files(here):
    with h5py.File("m.h5", "w") as file:
        made = file.create_dataset(
            "features", data=np.ones((8, 6, 4), "f4"), chunks=(4, 6, 4), compression="gzip"
        )
        made.dims[0].label, made.dims[1].label, made.dims[2].label = "C", "H", "W"
        file["names"] = [b"a", b"b"]
    np.save("f.npy", np.asfortranarray(np.ones((64, 7, 7), ">f8")))


def test_the_table_fits_and_the_reasons_follow(gpool, files):
    ran = gpool("info", ".")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["source", "shape", "dtype", "layout", "chunks", "filters"]
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["./f.npy", "64x7x7"],
        ["./m.h5:features", "8x6x4"],
        ["./m.h5:names", "2"],
    ]
    assert lines[3].split()[2:] == ["float32", "CHW", "(file)", "4x6x4", "gzip"]
    assert lines[5] == "skipped ./m.h5:names: holds strings"
    assert ran.errors == [
        "gpool: warning: ./f.npy: the shape looks channels-first: "
        "--layout CHW pools it so, --layout HWC keeps it"
    ]


def test_json_lines_say_everything(gpool, files):
    ran = gpool("info", "m.h5", "f.npy", "--json")
    entries = [json.loads(line) for line in ran.out.splitlines()]
    assert entries[0] == {
        "source": "m.h5",
        "dataset": "features",
        "shape": [8, 6, 4],
        "dtype": "float32",
        "byte_order": "<",
        "order": "C",
        "layout": "CHW",
        "layout_from": "file",
        "chunks": [4, 6, 4],
        "filters": ["gzip"],
        "nbytes": 768,
        "note": "",
    }
    assert (entries[1]["layout"], entries[1]["note"]) == (None, "skipped: holds strings")
    assert (entries[2]["order"], entries[2]["byte_order"]) == ("F", ">")
    assert entries[2]["note"].startswith("the shape looks channels-first")


def test_info_follows_keys_and_layout(gpool, files):
    entries = gpool("info", "m.h5:feat*", "--json", "--layout", "HWC").out.splitlines()
    assert [json.loads(entry)["layout"] for entry in entries] == ["HWC"]


def test_info_reads_no_values(gpool, files, monkeypatch):
    def explode(*_: object):
        raise AssertionError("values were read")

    monkeypatch.setattr(NpyReader, "blocks", explode)
    monkeypatch.setattr(Hdf5Reader, "blocks", explode)
    assert gpool("info", ".").code == 0
    assert "values were read" in gpool("avg", ".").err


def test_an_unreadable_file_is_said_and_the_others_are_listed(gpool, files, here):
    (here / "bad.npy").write_bytes(b"bad")
    ran = gpool("info", "bad.npy", "m.h5", "nope.npy")
    assert ran.code == 1
    assert "m.h5:features" in ran.out
    assert [line.split(": ")[2] for line in ran.errors] == ["nope.npy", "bad.npy"]


def test_one_array_alone_has_all_that_fits(gpool, here):
    np.save("a.npy", np.ones((7, 7, 64), "f4"))
    assert gpool("info", "a.npy").out.splitlines()[2].split() == [
        *("a.npy", "7x7x64", "float32", "HWC", "(default)", "12.5", "kB")
    ]
