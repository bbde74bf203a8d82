"""Outputs: what -o means, what files are called, what is refused, what a failure leaves."""

import csv
import io
import json
import os
import resource
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.batch import joined
from gpool_cli.batch.sinks import outputs
from gpool_cli.batch.sinks.outputs import Outputs
from gpool_cli.batch.teller import Teller
from gpool_cli.errors import Interrupted
from gpool_cli.formats import interface, spool
from gpool_cli.model import Result
from gpool_cli.tally import Tally


def files(root: str | Path = ".") -> list[str]:
    """Every file below a directory but for the manifests."""
    return sorted(
        str(p.relative_to(root))
        for p in Path(root).rglob("*")
        if not p.is_dir() and p.name != ".gpool-manifest"
    )


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(-3, -2), keepdims=True, dtype="float64")


def test_a_single_named_file_gives_1x1xd(gpool, save):
    values = save("a.npy")
    assert gpool("avg", "a.npy", "-o", "out.npy").code == 0
    assert files() == ["a.npy", "out.npy"]  # one map needs no table of names
    np.testing.assert_allclose(np.load("out.npy"), mean(values), rtol=1e-6)


@pytest.mark.parametrize("words", [("a.npy", "b.npy"), ("t",), ("a.npy", "--stack")])
def test_several_inputs_a_directory_and_stack_have_a_batch_axis(gpool, save, words):
    for name in ("a.npy", "b.npy", "t/a.npy"):
        save(name)
    gpool("avg", *words, "-o", "out.npy")
    assert np.load("out.npy").shape == (len([w for w in words if w.endswith("npy")]) or 1, 1, 1, 3)


def test_a_directory_of_outputs_has_batch_axes_where_several_are_named(gpool, save):
    save("a.npy")
    save("b.npy")
    gpool("avg", "a.npy", "b.npy", "-o", "several/")
    gpool("avg", "a.npy", "-o", "single/")
    assert np.load("several/a.npy").shape == (1, 1, 1, 3)
    assert np.load("single/a.npy").shape == (1, 1, 3)


@pytest.mark.parametrize("out", ["out", "out/", "there", "with.dot/", "there.npy"])
def test_what_is_a_directory(gpool, save, here, out):
    save("a.npy")
    (here / "there").mkdir()
    (here / "there.npy").mkdir()
    assert gpool("avg", "a.npy", "-o", out).code == 0
    assert (here / out / "a.npy").is_file()


def test_an_unknown_suffix_lists_the_formats(gpool, save):
    save("a.npy")
    ran = gpool("avg", "a.npy", "-o", "out.pt")
    assert (ran.code, files()) == (2, ["a.npy"])
    assert ran.errors == [
        "gpool: error: the suffix of out.pt means no format (the formats are .npy .npz .h5 .hdf5 "
        ".hdf .he5 .nc .nc4 .csv .tsv .jsonl .parquet .json; a directory ends in /)"
    ]


def test_each_format_in_a_directory_is_that_of_its_input_or_of_f(gpool, save):
    save("t/a.npy")
    save("t/b.npz")
    save("t/c.hdf5")
    gpool("avg", "t", "-o", "same")
    assert files("same") == ["a.npy", "b.npz", "c.hdf5"]
    gpool("avg", "t", "-o", "h5", "-f", "h5")
    assert files("h5") == ["a.h5", "b.h5", "c.hdf5"]
    gpool("avg", "t", "-o", "csv", "-f", "csv")
    assert files("csv") == ["a.csv", "b.csv", "c.csv"]


def test_names_are_stem_dataset_pooling(gpool, save):
    save("a.b.npy")
    np.savez("m.npz", **{"x": np.ones((2, 2, 3)), "deep/y": np.ones((2, 2, 3))})
    gpool("pool", "-m", "avg", "-m", "max", "a.b.npy", "m.npz", "-o", "out", "-f", "npy")
    assert files("out") == [
        "a.b.avg.npy",
        "a.b.max.npy",
        "m.deep%2Fy.avg.npy",
        "m.deep%2Fy.max.npy",
        "m.x.avg.npy",
        "m.x.max.npy",
    ]
    gpool("avg", "m.npz", "-o", "one", "-f", "npy")
    assert files("one") == ["m.deep%2Fy.npy", "m.x.npy"]


def test_a_name_with_dots_never_climbs(gpool, here):
    (here / "in").mkdir()
    np.savez("in/z.npz", **{"../../evil": np.ones((2, 2, 3)), "/root%": np.ones((2, 2, 3))})
    assert gpool("avg", "in", "-o", "deep/out", "-f", "npy").code == 0
    assert [name for name in files() if not name.startswith("in")] == [
        "deep/out/z.%2Froot%25.npy",
        "deep/out/z...%2F..%2Fevil.npy",
    ]


def test_a_named_file_above_here_lands_in_the_output(gpool, save, here, monkeypatch):
    save("a.npy")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    assert gpool("avg", "../a.npy", "-o", "out/").code == 0
    assert files() == ["out/a.npy"]


@pytest.mark.parametrize("out", ["out.npy", "out.npz", "out.h5", "out.csv", "out.jsonl", "dir"])
def test_an_output_that_exists_is_kept_unless_it_may_be_overwritten(gpool, save, here, out):
    save("a.npy")
    assert gpool("avg", "a.npy", "-o", out).code == 0
    path = here / out if out != "dir" else here / "dir/a.npy"
    path.write_bytes(b"precious")
    ran = gpool("max", "a.npy", "-o", out)
    assert (ran.code, path.read_bytes()) == (2, b"precious")
    assert ran.errors == [
        f"gpool: error: the output {path.relative_to(here)} is already there (replace it with "
        f"--overwrite, {'go on with --resume, ' if out == 'dir' else ''}or choose another -o)"
    ]
    assert gpool("max", "a.npy", "-o", out, "--overwrite").code == 0
    assert path.read_bytes() != b"precious"


def test_an_output_that_no_header_foretold_replaces_nothing(gpool, save, here):
    values = save("a.npy")
    with open("a.npy", "ab") as file:
        np.save(file, values)
    (here / "dir").mkdir()
    (here / "dir/a.1.npy").write_bytes(b"precious")
    ran = gpool("avg", "a.npy", "-o", "dir")
    assert ran.code == 1
    assert "a.npy:1: would be written to dir/a.1.npy, which is already there" in ran.err
    assert files("dir") == ["a.1.npy"]
    assert (here / "dir/a.1.npy").read_bytes() == b"precious"
    assert gpool("avg", "a.npy", "-o", "dir", "--overwrite").code == 0
    assert np.load("dir/a.1.npy").shape == (1, 1, 3)
    # It may be the output of another input too.
    save("a.1.npy")
    for words in (("a.npy", "a.1.npy"), ("a.1.npy", "a.npy")):
        ran = gpool("avg", *words, "-o", "dir", "--overwrite")
        assert ran.code == 1
        assert "a.npy:1: would be written to dir/a.1.npy" in ran.err


def test_a_directory_that_holds_other_files_is_no_output(gpool, save, here):
    save("a.npy")
    (here / "dir").mkdir()
    (here / "dir/other.npy").write_bytes(b"precious")
    assert gpool("avg", "a.npy", "-o", "dir").code == 0
    assert (here / "dir/other.npy").read_bytes() == b"precious"


def test_a_file_without_a_suffix_is_no_directory(gpool, save, here):
    save("a.npy")
    (here / "out").write_bytes(b"precious")
    ran = gpool("avg", "a.npy", "-o", "out", "--overwrite")
    assert (ran.code, (here / "out").read_bytes()) == (2, b"precious")
    assert "out has no suffix, which means a directory, but is none" in ran.err


@pytest.mark.parametrize("link", ["same", "hard", "symbolic", "dots"])
def test_the_output_is_never_the_input(gpool, save, here, link):
    values = save("a.npy")
    out = {"same": "a.npy", "hard": "h.npy", "symbolic": "s.npy", "dots": "./x/../a.npy"}[link]
    (here / "x").mkdir()
    if link == "hard":
        os.link("a.npy", out)
    elif link == "symbolic":
        os.symlink("a.npy", out)
    ran = gpool("avg", "a.npy", "-o", out, "--overwrite")
    assert ran.code == 2
    assert ran.errors == [f"gpool: error: the output {out} is the input a.npy (choose another -o)"]
    np.testing.assert_array_equal(np.load("a.npy"), values)


def test_a_directory_of_outputs_is_never_the_inputs(gpool, save):
    values = save("t/a.npy")
    for words in (("t", "-o", "t"), ("t/a.npy", "-o", "t/")):
        ran = gpool("avg", *words, "--overwrite")
        assert (ran.code, len(ran.errors)) == (2, 1)
        assert "the output t/a.npy is the input t/a.npy" in ran.err
    np.testing.assert_array_equal(np.load("t/a.npy"), values)


@pytest.mark.parametrize("report", ["a.npy", "out.npy", "./out.npy", "-"])
def test_the_report_replaces_neither_input_nor_output(gpool, save, report):
    values = save("a.npy")
    ran = gpool("avg", "a.npy", "-o", "out.npy", "--report", report)
    assert (ran.code, files(), len(ran.errors)) == (2, ["a.npy"], 1)
    np.testing.assert_array_equal(np.load("a.npy"), values)


def test_a_stacked_npy_says_beside_it_what_its_rows_are(gpool, save, here):
    save("t/a.npy", (4, 5, 3))
    save("t/b.h5", (2, 6, 6, 3))
    save("t/c.npy", (9, 2, 3))
    assert gpool("max", "t", "-o", "all.npy").code == 0
    assert np.load("all.npy").shape == (4, 1, 1, 3)
    assert (here / "all.sources.tsv").read_text() == (
        "row\tsource\tdataset\tindex\n"
        "0\ta.npy\t\t0\n1\tb.h5\tfeatures\t0\n2\tb.h5\tfeatures\t1\n3\tc.npy\t\t0\n"
    )


@pytest.mark.parametrize("out", ["all.npy", "all.csv", "all.tsv"])
def test_rows_of_another_width_name_both_files_and_shapes(gpool, save, out):
    save("a.npy", (4, 5, 3))
    save("b.npy", (6, 6, 7))
    save("c.npy", (2, 2, 3))
    ran = gpool("pool", "-m", "avg", "-m", "max", "a.npy", "b.npy", "c.npy", "-o", out)
    assert ran.code == 1
    assert ran.errors == [
        "gpool: error: b.npy: gives rows of 1x1x7 (map 6x6x7), but a.npy gives 1x1x3 (map 4x5x3) "
        "(one output array has one row shape: choose .h5, .npz, .jsonl or a directory)"
    ]
    assert "2 maps of 3 files" in ran.out
    assert "1 failed" in ran.out


@pytest.mark.parametrize("out", ["all.h5", "all.npz", "all.jsonl"])
def test_names_and_lines_take_any_mix(gpool, save, here, out):
    expected = {"a": save("a.npy", (4, 5, 3)), "b": save("b.npy", (6, 6, 7))}
    assert gpool("max", "a.npy", "b.npy", "-o", out).code == 0
    if out.endswith("jsonl"):
        lines = [json.loads(line) for line in (here / out).read_text().splitlines()]
        got = {line["source"].removesuffix(".npy"): np.array(line["values"]) for line in lines}
    elif out.endswith("npz"):
        got = dict(np.load(out))
    else:
        with h5py.File(out) as file:
            got = {name: file[name][()] for name in file}
    assert list(got) == ["a", "b"]
    for name, values in expected.items():
        np.testing.assert_array_equal(np.float32(got[name]).ravel(), values.max(axis=(0, 1)))


def test_a_container_has_a_name_per_source_and_pooling(gpool, save):
    save("t/x/a.npy")
    save("t/b.h5", dataset="deep/feat")
    gpool("pool", "-m", "avg", "-m", "max", "t", "-o", "all.npz")
    assert sorted(np.load("all.npz")) == [
        "b/deep/feat.avg",
        "b/deep/feat.max",
        "x/a.avg",
        "x/a.max",
    ]
    gpool("avg", "t/b.h5", "-o", "one.npz")
    assert list(np.load("one.npz")) == ["deep/feat"]


def test_two_inputs_of_one_name_in_a_container_are_refused(gpool, save):
    save("a.npy")
    save("a.npz")
    ran = gpool("avg", "a.npy", "a.npz", "-o", "all.h5")
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "a.npy and a.npz would have one name in the output" in ran.err
    assert gpool("avg", "a.npy", "a.npz", "-o", "all.csv").code == 0


@pytest.mark.parametrize("out", ["all.h5", "all.npz"])
def test_stack_makes_one_array_with_the_names_beside_it(gpool, save, out):
    save("a.npy", (4, 5, 3))
    save("b.npz", (2, 6, 6, 3))
    assert gpool("max", "a.npy", "b.npz", "--stack", "-o", out).code == 0
    if out.endswith("npz"):
        stack, names = (np.load(out)[name] for name in ("max", "sources"))
    else:
        with h5py.File(out) as file:
            stack, names = file["max"][()], file["sources"].asstr()[()]
    assert stack.shape == (3, 1, 1, 3)
    assert list(names) == ["a.npy", "b.npz:features", "b.npz:features"]


def test_several_poolings_into_one_npy_give_one_each(gpool, save):
    values = save("t/a.npy")
    gpool("pool", "-m", "avg", "-m", "max", "t", "-o", "all.npy")
    assert files() == ["all.avg.npy", "all.max.npy", "all.sources.tsv", "t/a.npy"]
    np.testing.assert_array_equal(np.load("all.max.npy")[0, 0, 0], values.max(axis=(0, 1)))
    ran = gpool("pool", "-m", "avg", "-m", "max", "t", "-o", "all.npy")
    assert "the output all.avg.npy is already there, as are 2 more" in ran.err


def test_csv_carries_source_dataset_index_and_pooling(gpool, save, here):
    a, b = save("t/a.npy"), save("t/b,c.h5", (2, 3, 3, 3))
    gpool("pool", "-m", "max", "-m", "avg", "t", "-o", "all.csv")
    with open("all.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["source", "dataset", "index", "pooling", "c0", "c1", "c2"]
    assert [tuple(row[:4]) for row in rows[1:]] == [
        ("a.npy", "", "0", "max"),
        ("a.npy", "", "0", "avg"),
        ("b,c.h5", "features", "0", "max"),
        ("b,c.h5", "features", "1", "max"),
        ("b,c.h5", "features", "0", "avg"),
        ("b,c.h5", "features", "1", "avg"),
    ]
    np.testing.assert_array_equal(np.float32(rows[1][4:]), a.max(axis=(0, 1)))
    np.testing.assert_array_equal(np.float32(rows[4][4:]), b[1].max(axis=(0, 1)))


def test_npy_on_standard_output_is_an_array_per_source_or_a_stack(gpool, save):
    for name in ("t/a.npy", "t/b.npy"):
        save(name)
    stream = io.BytesIO(gpool("avg", "t", "-o", "-").data)
    assert [np.load(stream).shape for _ in range(2)] == [(1, 1, 1, 3)] * 2
    stream = io.BytesIO(gpool("avg", "t", "-o", "-", "--stack").data)
    assert np.load(stream).shape == (2, 1, 1, 3)
    assert not stream.read()


@pytest.mark.parametrize("name", ["npz", "h5", "jsonl", "tsv"])
def test_every_format_goes_to_standard_output_whole(gpool, save, here, name):
    save("a.npy")
    ran = gpool("max", "a.npy", "-o", "-", "-f", name)
    assert gpool("max", "a.npy", "-o", f"out.{name}").code == 0
    assert ran.data == (here / f"out.{name}").read_bytes()


def test_without_an_output_values_are_shown_and_nothing_is_written(gpool, here):
    np.save("a.npy", np.array([[[1.5], [4.0]]], "float32"))
    ran = gpool("max", "a.npy")
    assert (ran.code, ran.err, files()) == (0, "", ["a.npy"])
    assert ran.out.splitlines()[0].split() == [
        *("source", "shape", "layout", "pooling", "output", "values")
    ]
    assert ran.out.splitlines()[2].split() == [
        "a.npy",
        "1x2x1",
        "HWC",
        "(default)",
        "max",
        "1x1x1",
        "4",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-f", "csv"), "--format without -o writes nothing (say where to with -o)"),
        (("-o", "a.h5", "-f", "csv"), "a.h5 is no name for the format csv (leave out --format)"),
        (
            ("-o", "dir/", "--stack"),
            "--stack makes one array, and a directory takes many (name a file such as all.npy)",
        ),
    ],
)
def test_options_that_contradict_each_other(gpool, save, words, said):
    save("a.npy")
    ran = gpool("avg", "a.npy", *words)
    assert (ran.code, ran.out, ran.errors) == (2, "", [f"gpool: error: {said}"])
    assert files() == ["a.npy"]


def test_a_failing_input_leaves_no_output_and_the_others_are_done(gpool, save, here):
    save("t/a.npy")
    save("t/z.npy")
    (here / "t/bad.npy").write_bytes(b"\x93NUMPY nonsense")
    with h5py.File("t/half.h5", "w") as file:
        file["good"] = np.ones((2, 2, 3))
        file["nan"] = np.full((2, 2, 3), np.nan)
    ran = gpool("avg", "t", "-o", "out", "--nan", "error")
    assert (ran.code, files("out")) == (1, ["a.npy", "z.npy"])
    assert sum("error: " in line for line in ran.errors) == 2
    assert "2 failed" in ran.out


@pytest.mark.parametrize("out", ["out.h5", "out.npz", "out.csv", "dir/"])
@pytest.mark.parametrize("summary", ["full", "short", "none"])
def test_what_was_pooled_beside_a_failing_map_is_said_to_be_dropped(gpool, here, out, summary):
    np.savez(here / "half.npz", good=np.ones((2, 2, 3)), nan=np.full((2, 2, 3), np.nan))
    ran = gpool("avg", "half.npz", "-o", out, "--nan", "error", "--summary", summary)
    assert ran.code == 1
    assert files() == ["half.npz"]
    said = (
        "gpool: warning: half.npz: nothing of it was written, since not all of it could be pooled"
    )
    assert ran.errors.count(said) == 1


@pytest.mark.parametrize("bad", [False, True])
def test_many_results_are_told_of_in_order_and_none_as_kept_that_is_not(
    gpool, here, monkeypatch, bad
):
    monkeypatch.setattr("gpool_cli.batch.untold._IN_MEMORY", 3)
    monkeypatch.setattr("gpool_cli.batch.untold._AT_A_TIME", 4)
    maps = {f"m{i}": np.full((2, 2, 3), i, "f4") for i in range(8)}
    if bad:
        maps["x"] = np.full((2, 2, 3), np.nan)
    np.savez(here / "many.npz", **maps)
    words = ["pool", "-m", "avg", "-m", "max", "many.npz", "-o", "dir/", "--report", "r.json"]
    assert gpool(*words, "--nan", "error").code == int(bad)
    results = json.loads((here / "r.json").read_text())["results"]
    assert [one["dataset"] for one in results] == [f"m{i}" for i in range(8) for _ in "am"]
    assert [one["mean"] for one in results] == [i for i in range(8) for _ in "am"]
    assert all(bool(one["written_to"]) != bad for one in results)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["--quiet"], False),
        (["--summary", "short"], False),
        (["--summary", "full"], True),
        (["--quiet", "--report", "r.json"], True),
    ],
)
def test_nothing_waits_to_be_told_where_nobody_wants_to_know(gpool, here, monkeypatch, said, kept):
    waiting = []
    monkeypatch.setattr("gpool_cli.batch.untold.Untold.add", lambda _, pooled: waiting.append(0))
    np.savez(here / "two.npz", a=np.ones((2, 2, 3)), b=np.ones((2, 2, 3)))
    assert gpool("avg", "two.npz", "-o", "dir/", *said).code == 0
    assert len(waiting) == 2 * kept


@pytest.mark.parametrize(
    "out", ["out.h5", "out.npz", "out.npy", "out.csv", "out.jsonl", "out.parquet", "dir/"]
)
def test_the_disk_is_asked_to_begin_while_the_run_goes_on(gpool, here, monkeypatch, out):
    if out.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1)
    np.save(here / "a.npy", np.random.default_rng(2).random((60, 5, 6, 8), "f4"))
    asked = []
    begin = outputs.begin_writing
    monkeypatch.setattr(outputs, "begin_writing", lambda fd: asked.append(begin(fd)))
    words = ["max", "a.npy", "-o", out]
    written = []
    for every in (1e9, 0):
        monkeypatch.setattr(outputs, "_BEGIN_EVERY", every)
        assert gpool(*words, "--overwrite", "--jobs", "1").code == 0
        written.append({p: Path(p).read_bytes() for p in files() if ".gpool" not in p})
        assert bool(asked) == (every == 0)
    assert written[0] == written[1]


def test_many_failing_maps_of_a_file_leave_no_outputs_open(gpool, here, monkeypatch):
    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    values = np.ones((60, 5, 6, 8), "f4")
    values[-1] = np.nan
    np.savez(here / "a.npz", **{f"m{i}": values for i in range(9)})
    most = []
    add = Outputs.add

    def counted(self: Outputs, path: str, result: Result) -> None:
        add(self, path, result)
        most.append(len(self._open))

    monkeypatch.setattr(Outputs, "add", counted)
    words = ["pool", "-m", "avg", "-m", "max", "a.npz", "-o", "dir/", "-f", "npy"]
    assert gpool(*words, "--nan", "error").code == 1
    assert (max(most), files()) == (2, ["a.npz"])


def test_what_was_told_before_an_interruption_still_counts(gpool, save, monkeypatch):
    for i in range(4):
        save(f"t/{i}.npy", (5, 6 + i, 8))
    take_in, taken = Teller.take_in, iter(range(2))

    def interrupted(self: Teller, piece: Result, tally: Tally) -> None:
        take_in(self, piece, tally)
        if next(taken, None) is None:
            raise Interrupted

    monkeypatch.setattr(Teller, "take_in", interrupted)
    assert gpool("avg", "t", "-o", "dir/", "--report", "report.json").code == 130
    totals = json.loads(Path("report.json").read_text())["totals"]
    assert (totals["maps"], totals["files"], totals["channels"]) == (2, 2, 8)


def test_the_rows_of_a_batch_before_files_that_are_alike_are_named_first(gpool, here):
    (here / "t").mkdir()
    np.save("batch.npy", np.ones((2, 5, 6, 8), "f4"))
    for i in range(3):
        np.save(f"t/m{i}.npy", np.ones((5, 6, 8), "f4"))
    assert gpool("avg", "batch.npy", "t", "-o", "all.npy").code == 0
    rows = Path("all.sources.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1::2] for row in rows] == [
        ["batch.npy", "0"],
        ["batch.npy", "1"],
        *([f"t/m{i}.npy", "0"] for i in range(3)),
    ]


@pytest.mark.parametrize("out", ["dir/", "out.npz"])
def test_a_map_that_is_interrupted_after_some_rows_counts_for_nothing(
    gpool, here, monkeypatch, out
):
    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    np.save(here / "a.npy", np.full((600, 5, 6, 8), np.nan, "f4"))
    taken = iter(range(5))

    def check() -> None:
        if next(taken, None) is None:
            raise Interrupted

    monkeypatch.setattr("gpool_cli.batch.run.check", check)
    words = ["pool", "-m", "avg", "-m", "max", "a.npy", "-o", out, "--report", "report.json"]
    assert gpool(*words).code == 130
    assert [name for name in files() if ".gpool" not in name] == ["a.npy", "report.json"]
    totals = json.loads((here / "report.json").read_text())["totals"]
    assert (totals["nan_values"], totals["maps"], totals["channels"]) == (0, 0, 0)


@pytest.mark.parametrize("out", ["out.h5", "out.npz", "out.npy", "out.csv", "dir/", None])
def test_a_map_that_fails_after_some_rows_leaves_nothing_and_counts_for_nothing(
    gpool, here, monkeypatch, out
):
    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    values = np.ones((60, 5, 6, 8), "f4")
    values[0], values[-1] = np.inf, np.nan
    np.save(here / "a.npy", values)
    words = ["pool", "-m", "avg", "-m", "max", "a.npy", *(["-o", out] if out else [])]
    failed = gpool(*words, "--nan", "error", "--report", "failed.json", "--jobs", "1")
    assert (failed.code, files()) == (1, ["a.npy", "failed.json"])
    totals = json.loads((here / "failed.json").read_text())["totals"]
    assert (totals["inf_values"], totals["maps"], totals["channels"]) == (0, 0, 0)

    values[-1] = 1
    np.save(here / "a.npy", values)
    assert gpool(*words, "--nan", "error", "--report", "good.json", "--jobs", "1").code == 0
    assert json.loads((here / "good.json").read_text())["totals"]["inf_values"] == 16


@pytest.mark.parametrize("out", ["out.h5", "out.npz", "out.npy", "dir/"])
def test_what_is_written_of_one_input_waits_nowhere(gpool, here, monkeypatch, out):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    for module in (spool, joined):
        monkeypatch.setattr(module, "IN_MEMORY", 1500)  # The names of rows take less.
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    np.save(here / "a.npy", np.ones((60, 5, 6, 8), "f4"))
    assert gpool("pool", "-m", "avg", "-m", "max", "a.npy", "-o", out, "--jobs", "1").code == 0


def test_one_failing_input_leaves_nothing(gpool, here):
    (here / "bad.npy").write_bytes(b"")
    for out in ("out.npy", "out.h5", "out.csv", "dir/"):
        assert gpool("avg", "bad.npy", "-o", out).code == 1
    assert files() == ["bad.npy"]


def test_a_failed_input_has_no_row(gpool, save, here):
    save("t/a.npy")
    save("t/c.npy")
    (here / "t/b.npy").write_bytes(b"bad")
    assert gpool("avg", "t", "-o", "all.npy").code == 1
    assert np.load("all.npy").shape == (2, 1, 1, 3)
    assert [row.split("\t")[1] for row in Path("all.sources.tsv").read_text().splitlines()] == [
        *("source", "a.npy", "c.npy")
    ]


@pytest.mark.parametrize("out", ["file/x.npy", "file/x.csv", "file/dir/", "/proc/gpool/x.h5"])
def test_an_output_that_cannot_be_written_ends_the_run(gpool, save, here, out):
    save("a.npy")
    (here / "file").write_bytes(b"")
    ran = gpool("avg", "a.npy", "-o", out)
    assert (ran.code, len(ran.errors)) == (3, 1)
    assert ran.err.startswith(f"gpool: error: can't write {out}")


def test_a_report_that_cannot_be_written_is_said(gpool, save):
    save("a.npy")
    ran = gpool("avg", "a.npy", "-o", "out.npy", "--report", "a.npy/report.json")
    assert (ran.code, len(ran.errors)) == (3, 1)
    assert ran.err.startswith("gpool: error: can't write a.npy/report.json: ")


def test_equal_inputs_give_equal_bytes(gpool, save, here):
    save("t/a.npy")
    save("t/b.h5")
    for out in ("all.h5", "all.npz", "all.npy", "all.csv"):
        gpool("avg", "t", "-o", out)
        gpool("avg", "t", "-o", f"again/{out}")
        assert (here / out).read_bytes() == (here / "again" / out).read_bytes()


def test_the_names_of_other_rows_do_not_stay(gpool, save):
    save("t/a.npy")
    save("t/b.npy")
    assert gpool("avg", "t", "-o", "all.npy").code == 0
    assert "all.sources.tsv" in files()
    assert gpool("avg", "t/a.npy", "-o", "all.npy", "--overwrite").code == 0
    assert "all.sources.tsv" not in files()


def test_the_names_stay_with_the_rows_where_nothing_takes_their_place(gpool, save, here):
    save("t/a.npy")
    save("t/b.npy")
    assert gpool("avg", "t", "-o", "all.npy").code == 0
    before = {name: (here / name).read_bytes() for name in files()}
    (here / "bad.npy").write_bytes(b"bad")
    before["bad.npy"] = b"bad"
    for words in (("bad.npy",), ("bad.npy", "nope.npy")):
        assert gpool("avg", *words, "-o", "all.npy", "--overwrite").code == 1
        assert {name: (here / name).read_bytes() for name in files()} == before


@pytest.mark.parametrize(
    "words", [("-o", ""), ("--base", ""), ("--report", ""), ("--files-from", ""), ("",)]
)
def test_empty_names_are_wrong_usage(gpool, save, words):
    save("a.npy")
    ran = gpool("avg", "a.npy", "-o", "out", *words)
    assert (ran.code, len(ran.errors), files()) == (2, 1, ["a.npy"])


def test_an_input_may_give_more_outputs_than_a_process_may_have_open(gpool, here):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        np.savez("wide.npz", **{f"m{i:03}": np.full((2, 2, 3), i) for i in range(300)})
        assert gpool("avg", "wide.npz", "-o", "out", "-f", "npy").code == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(files("out")) == 300
    assert np.load("out/wide.m299.npy").ravel().tolist() == [299] * 3


@pytest.mark.parametrize("words", [(), ("-o", "o.npz"), ("--stack", "-o", "o.h5"), ("-o", "-")])
def test_copy_others_needs_an_output_that_can_hold_them(gpool, save, words):
    save("a.h5")
    ran = gpool("avg", "a.h5", "--copy-others", *words)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "--copy-others needs an HDF5 output" in ran.err
    assert files() == ["a.h5"]


def test_copy_others_leaves_nothing_behind(gpool, here, monkeypatch):
    (here / "passing").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here / "passing"))
    with h5py.File("a.h5", "w") as file:
        file["m"], file["coords"] = np.zeros((2, 2, 3), "f4"), np.arange(4)
    assert gpool("avg", "a.h5", "--copy-others", "-o", "o.h5").code == 0
    with h5py.File("o.h5") as file:
        assert file["coords"][()].tolist() == [0, 1, 2, 3]
    assert files() == ["a.h5", "o.h5"]


@pytest.mark.parametrize("words", [("-o", "x.npy"), ("--stack", "-o", "x.npz")])
@pytest.mark.parametrize("shape", [(2, 2, 1), (300, 300, 2)])
def test_a_map_that_one_pooling_is_refused_for_has_no_row_in_any(gpool, here, words, shape):
    """No dtype holds float64 and int64 maxima; their means are float64 all."""
    os.mkdir("maps")
    for name, dtype, value in (("a", "f8", 1), ("b", "i8", 2), ("c", "f8", 3)):
        np.save(f"maps/{name}.npy", np.full(shape, value, dtype))
    ran = gpool("pool", "-m", "avg", "-m", "max", "maps", *words)
    assert ran.code == 1
    assert "maps/b.npy: the rows are float64 and int64: no dtype holds both" in ran.err
    if words[-1] == "x.npy":
        found = {name: np.load(f"x.{name}.npy") for name in ("avg", "max")}
        names = [line.split("\t")[1] for line in (here / "x.sources.tsv").read_text().splitlines()]
        assert names == ["source", "a.npy", "c.npy"]
    else:
        found = dict(np.load("x.npz"))
        assert list(found.pop("sources")) == ["a.npy", "c.npy"]
    for values in found.values():
        assert values[:, 0, 0, 0].tolist() == [1, 3]


@pytest.mark.parametrize("out", ["out/", "out.h5", "out.csv"])
def test_what_a_failure_took_back_is_not_said_to_be_written(gpool, here, out):
    with h5py.File("a.h5", "w") as file:
        file["good"] = np.ones((2, 2, 3), "f4")
        file.create_dataset("bad", data=np.ones((4, 2, 3), "f4"), chunks=(2, 2, 3), compression=1)
        file["bad"].id.write_direct_chunk((0, 0, 0), b"damaged")
    ran = gpool("avg", "a.h5", "-o", out, "--report", "r.json")
    assert ran.code == 1
    assert not [path for path in files() if path.startswith("out") and ".gpool" not in path]
    assert "written to" not in ran.out
    assert "a.h5:good" in ran.out
    (result,) = json.loads((here / "r.json").read_text())["results"]
    assert not result["written_to"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("avg a.npy -o {null}", "choose another -o; -o - is standard output"),
        ("avg a.npy --max-memory 16M", "the least is 16MiB, or 17M"),
        ("pool -m avg,max a.npy", "-m once for each: -m avg -m max"),
    ],
)
def test_a_hint_says_what_was_meant(gpool, save, words, hint):
    save("a.npy")
    ran = gpool(*words.format(null=os.devnull).split())
    assert ran.code == 2
    assert ran.errors[0].endswith(f"({hint})")


def test_a_sum_that_is_no_integer_can_be_a_float(gpool):
    np.save("a.npy", np.full((2, 2, 3), 2**62))
    ran = gpool("sum", "a.npy")
    assert ran.code == 1
    assert ran.errors[0].endswith("does not fit int64 (--dtype float64)")
    assert gpool("sum", "a.npy", "--dtype", "float64").code == 0


def test_an_input_that_is_not_there_is_said_before_what_it_can_be_carried_to(gpool):
    ran = gpool("avg", "nothing", "--copy-others", "-o", "out")
    assert ran.code == 1
    assert ran.errors[0] == "gpool: error: nothing: is not there (check the name)"
