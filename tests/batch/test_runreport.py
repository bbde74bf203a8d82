"""The report of a run."""

import json

import pytest

from gpool_cli.batch import runreport, stopping
from gpool_cli.batch.runreport import RunReport
from gpool_cli.events import DoneBefore
from gpool_cli.model import InputFile
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.tally import Tally


class Enough(BaseException):
    pass


@pytest.mark.parametrize("nth", range(4))
def test_a_wish_to_stop_leaves_no_half_item(nth, tmp_path, monkeypatch):
    """A signal may come between any two writes."""
    monkeypatch.setattr(stopping, "_wish", stopping._Wish())
    report = RunReport(Recipe((PoolingSpec("max"),)))
    report.add(DoneBefore(InputFile("a", "a"), ("a.npy",)))
    write, count = runreport.Spool.write, iter(range(100))

    def write_and_stop(self, data):
        if next(count) == nth:
            stopping.stop(Enough())
        write(self, data)

    monkeypatch.setattr(runreport.Spool, "write", write_and_stop)
    for name in "bc":
        report.add(DoneBefore(InputFile(name, name), (f"{name}.npy",)))
    path = tmp_path / "r.json"
    report.write(str(path), Tally(), 143)
    said = json.loads(path.read_text())
    assert [one["source"] for one in said["done_before"]] == ["a", "b", "c"]
    with pytest.raises(Enough):
        stopping.check()
