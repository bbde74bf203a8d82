"""--dry-run, --report, --summary, --quiet: what is said of a run."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest


def no_constants(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def strict_json(text: str) -> dict:
    return json.loads(text, parse_constant=no_constants)


def test_a_dry_run_prints_inputs_shapes_layouts_outputs_and_writes_nothing(gpool, save):
    save("t/a.npy")
    save("t/b.h5", (2, 6, 6, 3))
    ran = gpool("avg", "t", "-o", "out", "--dry-run", "--report", "r.json")
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()[2:4]] == [
        ["t/a.npy", "4x5x3", "HWC", "1x1x1x3", "out/a.npy"],
        ["t/b.h5:features", "2x6x6x3", "NHWC", "2x1x1x3", "out/b.h5"],
    ]
    assert ran.out.endswith("2 maps of 2 files would be pooled; nothing was written\n")
    assert sorted(os.listdir()) == ["t"]


def test_a_dry_run_names_what_the_run_then_writes(gpool, save, here):
    save("t/a.npy")
    np.savez("t/m.npz", x=np.ones((2, 2, 3)), y=np.ones((2, 2, 3)))
    words = ("pool", "-m", "avg", "-m", "max", "t", "-o", "out", "-f", "npy")
    planned = [line.split()[-1] for line in gpool(*words, "--dry-run").out.splitlines()[2:8]]
    assert gpool(*words).code == 0
    assert sorted(planned) == sorted(map(str, Path("out").glob("[!.]*")))


@pytest.mark.parametrize("words", [("-o", "all.npy"), ("-o", "-"), ()])
def test_a_dry_run_of_one_output_writes_nothing_either(gpool, save, words):
    save("a.npy")
    ran = gpool("avg", "a.npy", *words, "--dry-run")
    assert (ran.code, os.listdir()) == (0, ["a.npy"])
    assert "1x1x3" in ran.out
    assert "1 map of 1 file would be pooled" in ran.out


def test_a_dry_run_says_what_is_in_the_way(gpool, save, here):
    save("t/a.npy", (64, 7, 7))
    (here / "t/bad.npy").write_bytes(b"bad")
    with h5py.File("t/m.h5", "w") as file:
        file["names"] = [b"a"]
    ran = gpool("avg", "t", "nope.npy", "--dry-run", "-o", "out")
    assert ran.code == 1
    assert "nope.npy: is not there" in ran.err
    assert "t/bad.npy: is no npy file" in ran.err
    assert "warning: t/a.npy: the shape looks channels-first" in ran.err
    assert "skipped t/m.h5:names (1): holds strings" in ran.out
    assert gpool("avg", "t/a.npy", "--dry-run", "--strict").code == 1
    assert gpool("avg", "t/m.h5", "--dry-run").code == 1


def test_a_dry_run_refuses_what_a_run_refuses(gpool, save):
    save("a.npy")
    assert gpool("avg", "a.npy", "-o", "a.npy", "--dry-run").code == 2


def test_the_report_says_everything_in_valid_json(gpool, save, here):
    values = save("t/a.npy", (64, 7, 7))
    np.save("t/nan.npy", np.full((2, 2, 3), np.nan))
    np.save("t/inf.npy", np.full((2, 2, 3), np.inf, "float32"))
    (here / "t/bad\x1b.npy").write_bytes(b"bad")
    with h5py.File("t/m.h5", "w") as file:
        file["names"] = [b"a"]
    ran = gpool("max", "t", "nope.npy", "-o", "out", "--report", "r.json", "--layout", "hwc")
    assert ran.code == 1
    report = strict_json((here / "r.json").read_text())
    assert report["exit_code"] == 1
    assert report["recipe"] == {
        "poolings": ["max"],
        "layout": "HWC",
        "nan": "propagate",
        "dtype": None,
        "shape": "channels-last",
    }
    totals = report["totals"]
    assert {name: totals[name] for name in ("maps", "files", "failed_files", "skipped")} == {
        "maps": 3,
        "files": 5,
        "failed_files": 2,
        "skipped": 2,
    }
    assert totals["bytes_in"] == values.nbytes + 12 * 8 + 12 * 4
    assert (totals["nan_values"], totals["inf_values"]) == (3, 3)
    results = {result["source"]: result for result in report["results"]}
    assert results["t/a.npy"] == {
        "source": "t/a.npy",
        "dataset": "",
        "shape": [64, 7, 7],
        "layout": "HWC",
        "layout_from": "flag",
        "dtype": "float32",
        "pooling": "max",
        "output_shape": [1, 1, 1, 7],
        "output_dtype": "float32",
        "min": pytest.approx(values.max(axis=(0, 1)).min()),
        "mean": pytest.approx(values.max(axis=(0, 1)).mean()),
        "max": pytest.approx(values.max(axis=(0, 1)).max()),
        "nan": 0,
        "written_to": "out/t/a.npy",
    }
    assert results["t/nan.npy"]["nan"] == 3
    assert (results["t/nan.npy"]["min"], results["t/inf.npy"]["mean"]) == (None, None)
    assert report["skipped"][0] == {
        "source": "t/m.h5",
        "dataset": "names",
        "reason": "holds strings",
    }
    assert [failure["source"] for failure in report["failures"]] == ["nope.npy", r"t/bad\x1b.npy"]
    assert report["failures"][0]["message"] == "is not there"
    assert report["failures"][0]["hint"] == "check the name"
    assert report["warnings"] == []


def test_the_report_has_the_warnings(gpool, save, here):
    save("a.npy", (64, 7, 7))
    gpool("max", "a.npy", "--report", "r.json")
    (warning,) = strict_json((here / "r.json").read_text())["warnings"]
    assert (warning["source"], warning["kind"]) == ("a.npy", "layout")
    assert "--layout CHW" in warning["message"]


def test_the_report_of_nothing_is_valid_too(gpool, here):
    (here / "t").mkdir()
    assert gpool("max", "t", "--report", "r.json").code == 1
    assert strict_json((here / "r.json").read_text())["results"] == []


def test_how_much_is_said(gpool, save, monkeypatch):
    save("t/a.npy")
    save("t/b.npy")

    def said(*words: str) -> int:
        ran = gpool("avg", "t", "-o", "out", "--overwrite", *words)
        assert (ran.code, ran.err) == (0, "")
        return len(ran.out.splitlines())

    full, short = said(), said("--summary", "short")
    assert full > 4
    assert (short, said("--summary", "none"), said("-q"), said("--quiet")) == (1, 0, 0, 0)
    monkeypatch.setenv("GPOOL_SUMMARY", "short")
    assert (said(), said("--summary", "full")) == (1, full)
    monkeypatch.setenv("GPOOL_SUMMARY", "loud")
    ran = gpool("avg", "t")
    assert (ran.code, len(ran.errors)) == (2, 1)


def test_quiet_still_says_errors(gpool, save):
    save("a.npy")
    ran = gpool("avg", "a.npy", "nope.npy", "-q")
    assert (ran.code, ran.out, len(ran.errors)) == (1, "", 1)


def test_a_long_run_shows_its_ends_and_all_failures(gpool, save, here):
    for i in range(40):
        save(f"t/{i:02}.npy")
    for i in range(25):
        (here / f"t/x{i}.npy").write_bytes(b"bad")
    ran = gpool("max", "t", "-o", "out")
    lines = ran.out.splitlines()
    assert len(ran.errors) == 25
    assert [line.split()[0] for line in lines[2:12]] == [f"{i:02}.npy" for i in range(10)]
    assert lines[12].strip() == "… 20 more"
    assert [line.split()[0] for line in lines[13:23]] == [f"{i:02}.npy" for i in range(30, 40)]
    assert lines[-1].startswith("40 maps of 65 files · 9.6 kB in")
    assert lines[-1].endswith("25 failed")


def test_a_report_that_exists_is_kept_unless_it_may_be_overwritten(gpool, save, here):
    save("a.npy")
    (here / "r.json").write_text("precious")
    ran = gpool("avg", "a.npy", "-o", "b.npy", "--report", "r.json")
    assert (ran.code, (here / "r.json").read_text()) == (2, "precious")
    assert ran.errors == [
        "gpool: error: the report r.json is already there "
        "(replace it with --overwrite, or choose another --report)"
    ]
    assert not (here / "b.npy").exists()
    assert gpool("avg", "a.npy", "--report", "r.json", "--overwrite").code == 0
    assert strict_json((here / "r.json").read_text())["exit_code"] == 0


def test_a_run_that_can_not_write_reports_so(gpool, save, here):
    save("t/a.npy")
    save("t/b.npy")
    (here / "out/b.npy").mkdir(parents=True)
    ran = gpool("avg", "t", "-o", "out", "--overwrite", "--report", "r.json")
    assert (ran.code, len(ran.errors)) == (3, 1)
    report = strict_json((here / "r.json").read_text())
    assert (report["exit_code"], report["totals"]["maps"]) == (3, 1)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("-o", "out"), "out"),
        (("-o", "x/y.csv"), "x/y.csv"),
        (("-o", "y.h5"), "y.h5"),
        (("-o", "y.npy"), "y.avg.npy, y.max.npy"),
        (("-o", "-", "-f", "csv"), "standard output"),
    ],
)
@pytest.mark.parametrize("inputs", [("t/a.npy",), ("t",)])
def test_the_summary_says_where_results_went(gpool, save, words, where, inputs):
    save("t/a.npy")
    save("t/b.npy")
    call = ("pool", "-m", "avg", "-m", "max", *inputs, *words, "--overwrite")
    ran = gpool(*call)
    said = (ran.err if "-" in words else ran.out).splitlines()
    assert said.count(f"written to {where}") == 1
    ran = gpool(*call, "--summary", "short")
    said = (ran.err if "-" in words else ran.out).splitlines()
    assert said[-1].endswith(f" · written to {where}")


def test_with_no_output_nothing_was_written_anywhere(gpool, save):
    save("a.npy")
    assert "written" not in gpool("avg", "a.npy").out
