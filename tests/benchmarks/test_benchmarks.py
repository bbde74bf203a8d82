"""The benchmarks at tiny size, so that they cannot rot. No time is ever asserted here."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

# The works of the table that gpool is held to, and those beside it.
WANTED = [
    ("one 0.4 MB npy, avg", "python -c np.load, mean"),
    ("float32 NHWC npy, avg", "np.load, mean"),
    ("float32 NHWC npy, avg", "np.load mmap, mean"),
    ("float32 NCHW 7x7 npy, max", "np.load, max"),
    ("float16 NHWC npy, avg and max", "np.load, mean, max"),
    ("of 14x14 maps, npy, ten poolings", "gpool avg"),
    ("of 7x7 maps, npy, ten poolings", "gpool avg"),
    ("gzip+shuffle HDF5, avg", "h5py chunk loop"),
    ("gzip+shuffle HDF5, avg, --jobs 2", "gpool --jobs 1"),
    ("lzf HDF5, avg", "h5py chunk loop"),
    ("contiguous HDF5, avg", "h5py [:], mean"),
    ("deflated npz, 8 members, avg", "np.load, mean"),
    ("npy of 100 KB into one, avg", "np.load loop, stack"),
    ("groups in one HDF5, max", "h5py loop"),
    ("NHWC npy, avg: memory", "gpool, a tenth of it"),
    ("gzip+shuffle HDF5, avg: memory", "gpool, a tenth of it"),
    ("npy of 100 KB into one, avg: memory", "gpool, a tenth of it"),
    ("groups in one HDF5, max: memory", "gpool, a tenth of it"),
]


def printed_by(module: str, *words: str) -> str:
    """What a benchmark prints, which ends well."""
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", module, *words],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Import a module of the benchmarks, wherever pytest was started."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"tests.benchmarks.{name}")


@pytest.mark.slow
def test_all_works_run_and_gpool_and_its_peers_agree(tmp_path: Path) -> None:
    small = ("--scale", "0.001", "--runs", "0", "--dir", str(tmp_path))
    said = printed_by("tests.benchmarks", *small)
    assert "FAILED" not in said
    assert "scale 0.001" in said
    assert re.search(r"\d+ cores", said)
    assert list(tmp_path.iterdir()) == []
    rows = rows_of(said)
    for work, against in WANTED:
        assert any(row[0].endswith(work) and row[1] == against for row in rows), (work, against)
    for row in rows:
        assert re.fullmatch(r"[\d.]+ s", row[2])
        assert re.fullmatch(r"[\d.]+ s", row[3])
        assert re.fullmatch(r"[\d.]+ × (faster|its time)", row[4])
        if sys.platform == "linux":
            assert re.fullmatch(r"\d+ MB", row[6])


@pytest.mark.slow
def test_growth_is_measured_for_every_number_and_output() -> None:
    rows = rows_of(printed_by("tests.benchmarks.growth", "3", "1005"))
    assert [row[0] for row in rows] == ["3", "1,005"]
    for row in rows:
        assert len(row) == 8
        assert all(re.fullmatch(r"\d+ µs", cell) for cell in row[1:7])


@pytest.mark.slow
def test_a_cluster_is_measured_as_the_readme_starts_one(tmp_path: Path, module) -> None:
    pytest.importorskip("distributed")
    np.save(tmp_path / "maps.npy", np.ones((2000, 7, 7, 64), "f4"))
    maps = str(tmp_path / "maps.npy")
    rows = rows_of(printed_by("tests.benchmarks.cluster", maps, "--runs", "1"))
    assert [row[0] for row in rows] == ["2 Dask workers", "1 Dask worker", "--jobs 2"]
    assert all(re.fullmatch(r"[\d.]+ s", row[1]) for row in rows)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, value in module("cluster").QUIET.items():
        assert f"export {name}={value}\n" in readme


def test_data_can_be_kept_and_used_again(tmp_path: Path, module) -> None:
    data = module("data")
    maps = data.Data("files", 1000)
    kept = data.Store(tmp_path, 0.003, keep=True)
    path = kept.path_of(maps)
    kept.close()
    assert path.name == "files_3"
    assert [np.load(file).shape for file in sorted(path.iterdir())] == [(7, 7, 512)] * 3
    again = data.Store(tmp_path, 0.003, keep=False)
    assert again.path_of(maps) == path
    again.close()
    assert path.exists(), "it was there before"


def test_data_go_when_they_are_no_longer_needed(tmp_path: Path, module) -> None:
    data = module("data")
    store = data.Store(tmp_path, 1, keep=False)
    first, second = data.Data("nchw", 2), data.Data("nhwc", 2)
    paths = store.path_of(first), store.path_of(second)
    store.drop_all_but([second])
    assert [path.exists() for path in paths] == [False, True]
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_the_npz_made_here_is_one_for_others(tmp_path: Path, module) -> None:
    module("make_npz").members(tmp_path / "a.npz", 70)
    with np.load(tmp_path / "a.npz") as members:
        assert len(members.files) == 8
        maps = members["layer7"]
    assert maps.shape == (70, 7, 7, 2048)
    assert (maps[64:] == maps[:6]).all()


def test_a_result_that_differs_is_seen(tmp_path: Path, module) -> None:
    difference = module("results").difference
    np.save(tmp_path / "a.npy", np.ones((3, 1, 1, 4), "f4"))
    np.save(tmp_path / "b.npy", np.ones((3, 4), "f4"))
    np.save(tmp_path / "c.npy", np.full((3, 4), 1.1, "f4"))
    np.save(tmp_path / "d.npy", np.ones((4, 3), "f4"))
    np.savez(tmp_path / "a.npz", x=np.ones(3), y=np.ones(4))
    np.savez(tmp_path / "b.npz", x=np.ones(3))
    assert difference(tmp_path / "a.npy", tmp_path / "b.npy") == ""
    assert "off by 0.1" in difference(tmp_path / "a.npy", tmp_path / "c.npy")
    assert "(4, 3)" in difference(tmp_path / "a.npy", tmp_path / "d.npy")
    assert "lacks y" in difference(tmp_path / "a.npz", tmp_path / "b.npz")


def test_a_command_that_fails_says_why(module) -> None:
    process = module("process")
    with pytest.raises(process.CommandError, match="no such thing"):
        process.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_memory_of_children_counts(module) -> None:
    # The parent holds 40 MB that its child has in common with it, and the child 40 of its own.
    script = (
        "import os, time\n"
        "ours = b'x' * 40_000_000\n"
        "if os.fork() == 0:\n"
        "    theirs = b'y' * 40_000_000\n"
        "    time.sleep(0.3)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    peak = module("process").run([sys.executable, "-c", script], watched=True).peak
    assert 80e6 < peak < 115e6
