"""``gpool info``: every array, also those that would be skipped."""

import json

import h5py
import numpy as np
import pytest

from gpool_cli.formats.hdf5 import Hdf5Reader
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


@pytest.fixture
def channels(here):
    """A map with a dead, a constant, a saturated channel, and one with NaN and an infinity."""
    values = np.zeros((2, 2, 5), "f4")
    values[:, :, 1] = 2
    values[0, 0, 2] = 6
    values[0, :, 3] = np.nan, -np.inf
    values[1, 1, 4] = 1
    np.save("c.npy", values)


def test_stats_say_what_is_in_the_channels(gpool, files, channels):
    lines = gpool("info", "--stats", "c.npy").out.splitlines()
    assert lines[0].split() == [
        *("source", "shape", "dead", "constant", "saturated", "NaN"),
    ]
    assert lines[2].split() == ["c.npy", "2x2x5", "1", "1", "1", "at", "6", "1"]
    ran = gpool("info", "--stats", ".")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[2:5]] == ["./c.npy", "./f.npy", "./m.h5:features"]
    assert "skipped ./m.h5:names: holds strings" in lines
    assert ran.errors[0].startswith("gpool: warning: ./f.npy: the shape looks channels-first")


def test_stats_as_json(gpool, files, channels):
    entries = [
        json.loads(line) for line in gpool("info", "--stats", "--json", ".").out.split("\n")[:-1]
    ]
    assert entries[0]["stats"] == {
        "channels": 5,
        "min": None,
        "max": 6.0,
        "dead": 1,
        "constant": 1,
        "saturated": 1,
        "ceiling": 6.0,
        "nan": 1,
        "infinite": 1,
    }
    assert [entry["dataset"] for entry in entries] == ["", "", "features", "names"]
    assert entries[3]["stats"] is None
    plain = [json.loads(line) for line in gpool("info", "--json", ".").out.split("\n")[:-1]]
    assert plain == [{k: v for k, v in entry.items() if k != "stats"} for entry in entries]


def test_stats_of_a_pipe(gpool, here, channels, stdin):
    stdin(2 * (here / "c.npy").read_bytes())
    lines = gpool("info", "--stats", "-").out.splitlines()
    assert lines[2:4] == ["-", "-:1"]
    assert "dead 1 · constant 1 · saturated 1 at 6 · NaN 1" in " · ".join(lines[4:])


def test_stats_of_damaged_values_are_a_failure_of_their_array_alone(gpool, here, channels):
    with h5py.File("d.h5", "w") as file:
        for name in "xy":
            values = np.random.default_rng(0).random((40, 40, 8))
            file.create_dataset(name, data=values, chunks=(40, 40, 8), compression="gzip")
        place = file["y"].id.get_chunk_info(0).byte_offset
    data = bytearray((here / "d.h5").read_bytes())
    data[place + 500 : place + 600] = b"x" * 100
    (here / "d.h5").write_bytes(data)
    assert gpool("info", "d.h5").code == 0
    ran = gpool("info", "--stats", "d.h5", "c.npy")
    assert ran.code == 1
    assert len(ran.errors) == 1
    assert ran.errors[0].startswith("gpool: error: d.h5:y: ")
    assert [line.split()[0] for line in ran.out.splitlines()[2:4]] == ["d.h5:x", "c.npy"]


def test_stats_list_what_can_not_be_read_as_info_does(gpool, here):
    np.save("text.npy", np.array([["a"]]))
    plain, stats = gpool("info", "text.npy"), gpool("info", "--stats", "text.npy")
    assert stats.code == plain.code == 0
    assert stats.out == plain.out.splitlines()[-1] + "\n"
