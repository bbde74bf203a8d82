"""gpool formats: what the tables hold, for people and for programs."""

import json

import pytest

from gpool_cli.cli.main import run
from gpool_cli.formats import TABLE as FORMATS
from gpool_cli.formats import extras
from gpool_cli.poolings import COMMANDS as POOLINGS


def test_all_formats_poolings_and_extras(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = {line.split(" ")[0] for line in lines}
    assert {row.name for row in FORMATS} <= first
    assert {row.name for row in POOLINGS} <= first
    assert {extra.name for extra in extras.TABLE} <= first


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in said["formats"]] == [row.name for row in FORMATS]
    assert [one["name"] for one in said["poolings"]] == [row.name for row in POOLINGS]
    assert said["extras"][0]["install"] == "pip install 'gpool[codecs]'"


def test_what_is_missing_and_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda _: None)
    assert run(["formats"]) == 0
    said = capsys.readouterr().out
    assert "with parquet" in said
    assert "pip install 'gpool[codecs]'" in said
    assert "pip install 'gpool[formats]'" in said
