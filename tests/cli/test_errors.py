"""Every class of failure is one line: which file, what is wrong, what to do. Never a traceback."""

import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.cli import execute as execution
from gpool_cli.formats.npy import NpyReader


def write_truncated(path: Path) -> None:
    np.save(path, np.ones((4, 4, 3)))
    path.write_bytes(path.read_bytes()[:-9])


def write_zip(path: Path, member: str, data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, data)


def write_damaged_npz(path: Path) -> None:
    np.savez_compressed(path, x=np.random.default_rng(1).normal(size=(8, 8, 3)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def write_truncated_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = np.ones((64, 64, 3))
    path.write_bytes(path.read_bytes()[:-5000])


BAD = {
    "empty.npy": (lambda path: path.write_bytes(b""), "is empty (there is no array in it)"),
    "text.npy": (lambda path: path.write_bytes(b"hello"), "is no npy file (it starts with hello)"),
    "short.npy": (write_truncated, "is truncated: 4x4x3 float64 takes 384 bytes, 375 are there ("),
    "object.npy": (lambda path: np.save(path, np.array([{}, []], object)), "holds objects ("),
    "strings.npy": (lambda path: np.save(path, np.array(["a", "b"])), "holds strings ("),
    "complex.npy": (lambda path: np.save(path, np.ones((2, 2, 3), "c8")), "is complex ("),
    "vector.npy": (lambda path: np.save(path, np.ones(7)), "1 axis 7 and no default layout ("),
    "scalar.npy": (lambda path: np.save(path, np.float64(3)), "0 axes () and no default layout ("),
    "novalues.npy": (
        lambda path: np.save(path, np.ones((0, 7, 3))),
        "has no values: its shape is 0x7x3",
    ),
    "empty.npz": (lambda path: path.write_bytes(b""), ""),
    "text.npz": (lambda path: path.write_bytes(b"hello"), "is no npz file ("),
    "nothing.npz": (lambda path: zipfile.ZipFile(path, "w").close(), "holds no arrays ("),
    "other.npz": (lambda path: write_zip(path, "x.txt", b"hello"), "holds no feature map ("),
    "damaged.npz": (write_damaged_npz, ""),
    "empty.h5": (lambda path: path.write_bytes(b""), ""),
    "text.h5": (lambda path: path.write_bytes(b"hello"), ""),
    "short.h5": (write_truncated_h5, ""),
    "nothing.h5": (lambda path: h5py.File(path, "w").close(), "holds no arrays ("),
    "unknown.xyz": (lambda path: path.write_bytes(b"hello"), "is of no known format ("),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_an_input_is_one_line_and_the_others_are_done(gpool, save, here, name):
    save("good.npy")
    make, said = BAD[name]
    make(here / name)
    ran = gpool("avg", name, "good.npy", "-o", "out", "-f", "npy")
    assert ran.code == 1
    assert len(ran.errors) == 1
    assert ran.err.startswith(f"gpool: error: {name}:")
    assert said in ran.err
    assert sorted(os.listdir("out")) == [".gpool-manifest", "good.npy"]
    assert "1 map of 2 files" in ran.out
    assert gpool("info", name).code in (0, 1)  # and no traceback


@pytest.mark.parametrize("command", [("avg", "-o", "out/"), ("info",), ("avg", "--dry-run")])
def test_an_exception_nobody_thought_of_costs_one_file(gpool, save, monkeypatch, command):
    save("bad.npy")
    save("good.npy")
    arrays = NpyReader.arrays

    def explode(self: NpyReader):
        if self._file.name == "bad.npy":
            raise ZeroDivisionError("what a library\nmay raise \x1b[31m")
        return arrays(self)

    def explode_too(path: str):
        raise ZeroDivisionError

    monkeypatch.setattr(NpyReader, "arrays", explode)
    monkeypatch.setattr("gpool_cli.batch.alike.pattern_of", explode_too)
    ran = gpool(*command[:1], "bad.npy", "good.npy", *command[1:])
    assert ran.code == 1
    assert ran.errors == [
        r"gpool: error: bad.npy: can't be read: ZeroDivisionError: what a library\nmay raise "
        r"\x1b[31m"
    ]
    assert "good.npy" in ran.out


def test_a_bug_outside_the_files_is_one_line(gpool, save, monkeypatch):
    save("a.npy")

    def explode(*_: object, **__: object):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(execution, "make_sink", explode)
    ran = gpool("avg", "a.npy")
    assert ran.code == 1
    assert ran.errors == [
        "gpool: error: gpool has a bug: ZeroDivisionError: two lines "
        "(see where with --traceback, and report it)"
    ]


def test_a_traceback_is_there_for_the_asking(capfd, save):
    from gpool_cli.cli.main import run

    save("a.npy")
    assert run(["avg", "a.npy", "-o", "out.pt", "--traceback"]) == 2
    said = capfd.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.splitlines()[-1].startswith("gpool: error: the suffix of out.pt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frob",), "No such command 'frob' (see gpool --help)"),
        (("--", "-x"), "No such option '-x'"),
        (("--", "--avg"), "No such option '--avg'"),
        (("avgg",), "No such command 'avgg'. Did you mean avg? (see gpool --help)"),
        (("avg", "a.npy", "--zzzz"), "No such option '--zzzz' (see gpool avg --help)"),
        (("pool", "a.npy"), "Missing option '-m' / '--method' (see gpool pool --help)"),
        (
            ("avg", "a.npy", "--nan", "drop"),
            "Invalid value for '--nan': 'drop' is not one of 'propagate', 'omit', 'error' "
            "(see gpool avg --help)",
        ),
        (
            ("pool", "-m", "median9", "a.npy"),
            "there is no pooling 'median9' (the poolings are ",
        ),
        (
            ("pool", "-m", "avg", "-m", "mean", "a.npy"),
            "a pooling is named twice (name each once with -m)",
        ),
    ],
)
def test_wrong_usage_is_one_line_with_what_to_do(gpool, save, words, said):
    save("a.npy")
    ran = gpool(*words)
    assert (ran.code, ran.out, len(ran.errors)) == (2, "", 1)
    # What click calls an unknown option depends on its version.
    assert ran.err.replace("option: --zzzz", "option '--zzzz'").startswith(f"gpool: error: {said}")


def test_what_a_user_typed_can_not_write_on_the_terminal(gpool, save):
    for words in (("avg", "--\x1b[31m"), ("\x1b[31m",), ("avg", "x\x1b[31m.npy"), ("avg", "\n")):
        ran = gpool(*words)
        assert ran.code in (1, 2)
        assert "\x1b" not in ran.err + ran.out
        assert len(ran.errors) == 1
