"""The report of a run."""

import json
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli import stopping
from gpool_cli.cli import runreport
from gpool_cli.cli.main import run
from gpool_cli.cli.runreport import RunReport
from gpool_cli.events import DoneBefore
from gpool_cli.model import InputFile
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.report.records.interface import Ending
from gpool_cli.sketch import Sketcher
from gpool_cli.tally import Tally


class Enough(BaseException):
    pass


@pytest.mark.parametrize("nth", range(4))
def test_awish_to_stop_leaves_no_half_item(nth, tmp_path, monkeypatch):
    """A signal may come between any two writes."""
    monkeypatch.setattr(stopping, "wish", stopping.Wish())
    path = tmp_path / "r.json"
    report = RunReport(str(path), Recipe((PoolingSpec("max"),)))
    report.add(DoneBefore(InputFile("a", "a"), ("a.npy",)))
    write, count = runreport.Spool.write, iter(range(100))

    def write_and_stop(self, data):
        if next(count) == nth:
            stopping.stop(Enough())
        write(self, data)

    monkeypatch.setattr(runreport.Spool, "write", write_and_stop)
    for name in "bc":
        report.add(DoneBefore(InputFile(name, name), (f"{name}.npy",)))
    report.write(Ending(Tally(), 143))
    said = json.loads(path.read_text())
    assert [one["source"] for one in said["done_before"]] == ["a", "b", "c"]
    with pytest.raises(Enough):
        stopping.check()


@pytest.fixture
def maps(tmp_path, monkeypatch):
    """A tree with files that are pooled together, alone, in pieces, and not at all."""
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(3).normal(size=(40, 3, 4, 70)).astype("f4")
    os.mkdir("t")
    for number, one in enumerate(values):
        np.save(f"t/{number:02}.npy", one)
    with h5py.File("t/x.h5", "w") as file:
        file["batch"] = values
        file["names"] = [b"a"]
    np.save("t/y.npy", np.ones((64, 5, 5)))
    np.savez("t/z.npz", a=values[0] * np.nan, b=values[1])
    Path("t/bad.npy").write_bytes(b"bad")


def page_of(*words):
    """The page of a run, without what stands there of times."""
    Path("r.html").unlink(missing_ok=True)
    run(["pool", "-m", "avg", "-m", "max", "t", "nope.npy", "--report", "r.html", "-q", *words])
    page, count = re.subn(r'(?<=id="times">).*?(?=</script>)', "", Path("r.html").read_text())
    assert count == 1
    return page


@pytest.mark.parametrize("out", [(), ("-o", "out", "--overwrite")])
def test_a_page_is_the_same_but_for_its_times(maps, monkeypatch, out):
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 20_000)
    page = page_of(*out, "--jobs", "1")
    assert page == page_of(*out, "--jobs", "1")
    assert page == page_of(*out, "--jobs", "2")


def test_every_result_has_its_picture_whichever_way_it_came(maps):
    page_of()
    facts = re.search(r'id="facts">(.*?)</script>', Path("r.html").read_text(), re.DOTALL)[1]
    rows = json.loads(facts)["rows"]["results"]
    strip = json.loads(facts)["columns"]["results"].index("strip")
    assert len(rows) == 2 * (40 + 1 + 1 + 2)
    assert [row[0] for row in rows if not row[strip]] == []


def test_several_reports_of_one_run(maps):
    words = ("--report", "r.json", "--report", "R.HTML", "--report", "s.html")
    assert run(["avg", "t/00.npy", "-q", *words]) == 0
    assert json.loads(Path("r.json").read_text())["totals"]["maps"] == 1
    assert Path("R.HTML").read_text().startswith("<!doctype html>")
    assert Path("s.html").read_bytes() == Path("R.HTML").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--report", "r.txt"],
            "the report r.txt has no suffix that says its form (name it NAME.json or NAME.html)",
        ),
        (
            ["--report", "r.html", "--report", "./r.html"],
            "two reports have one name (say each --report once)",
        ),
        (
            ["--report", "r.json", "--report", "old.html"],
            "the report old.html is already there "
            "(replace it with --overwrite, or choose another --report)",
        ),
    ],
)
def test_reports_that_can_not_be_are_refused_before_any_work(maps, capsys, words, said):
    Path("old.html").write_text("precious")
    before = sorted(os.listdir())
    assert run(["avg", "t/00.npy", "-o", "out.npy", *words]) == 2
    assert capsys.readouterr().err == f"gpool: error: {said}\n"
    assert (sorted(os.listdir()), Path("old.html").read_text()) == (before, "precious")


def test_a_run_that_can_not_write_has_a_page_that_says_so(maps):
    os.makedirs("out/01.npy")
    assert run(["avg", "t", "-o", "out", "--overwrite", "-q", "--report", "r.html"]) == 3
    facts = re.search(r'id="facts">(.*?)</script>', Path("r.html").read_text(), re.DOTALL)[1]
    assert "can't write" in json.loads(facts)["ended_by"]


def test_only_a_page_asks_what_results_look_like(maps, monkeypatch):
    gathered = []
    take_in = Sketcher.take_in
    monkeypatch.setattr(Sketcher, "take_in", lambda *one: (gathered.append(1), take_in(*one)))
    assert run(["avg", "t/00.npy", "-q", "--report", "r.json"]) == 0
    assert gathered == []
    assert run(["avg", "t/00.npy", "-q", "--report", "r.html"]) == 0
    assert gathered == [1]
