"""What -o means, as a function."""

import pytest

from gpool_cli.batch.destination import parse_destination
from gpool_cli.errors import UsageError
from gpool_cli.model import InputFile


def destination(output, form=None, stack=False, poolings=("avg",)):
    return parse_destination(output, form, stack, poolings, False)


@pytest.mark.parametrize(
    ("output", "kind", "form", "stack"),
    [
        (None, "nowhere", None, False),
        ("-", "stdout", "npy", False),
        ("x.npy", "file", "npy", True),
        ("x.CSV", "file", "csv", True),
        ("x.jsonl", "file", "jsonl", False),
        ("x.nc4", "file", "h5", False),
        ("x", "directory", None, False),
        ("x.npy/", "directory", None, False),
        (".", "directory", None, False),
        ("..", "directory", None, False),
        ("a.b/c", "directory", None, False),
        (".hidden", "directory", None, False),
    ],
)
def test_kinds(tmp_path, monkeypatch, output, kind, form, stack):
    monkeypatch.chdir(tmp_path)
    got = destination(output)
    assert (got.kind, got.format.name if got.format else None, got.stack) == (kind, form, stack)


@pytest.mark.parametrize("output", ["x.pt", "x.npy.gz", "x.txt", "a.v2"])
def test_unknown_suffixes(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="means no format"):
        destination(output)


@pytest.mark.parametrize(
    ("name", "datasets", "poolings", "form", "paths"),
    [
        ("a.npy", [""], ("avg",), None, ["out/a.npy"]),
        ("d/a.b.npy", [""], ("avg",), None, ["out/d/a.b.npy"]),
        ("a.npy", [""], ("avg", "max"), None, ["out/a.avg.npy", "out/a.max.npy"]),
        ("a.hdf5", ["x", "y"], ("avg", "max"), None, ["out/a.hdf5"]),
        ("a.hdf5", ["x"], ("avg",), "npy", ["out/a.npy"]),
        ("a.hdf5", ["x/y", "%"], ("avg",), "npy", ["out/a.x%2Fy.npy", "out/a.%25.npy"]),
        ("a.h5", ["x", "y"], ("avg", "max"), "csv", ["out/a.csv"]),
        ("a.nc", [""], ("avg",), "npz", ["out/a.npz"]),
        ("noformat", [""], ("avg",), None, ["out/noformat.npy"]),
        ("../a.npy", [""], ("avg",), None, ["out/%2E%2E/a.npy"]),
        ("./a.npy", [""], ("avg",), None, ["out/%2E/a.npy"]),
    ],
)
def test_outputs_in_a_directory(name, datasets, poolings, form, paths):
    got = destination("out/", form, poolings=poolings)
    assert got.outputs_in_directory(InputFile(name, name), datasets) == paths


@pytest.mark.parametrize(
    ("output", "poolings", "paths"),
    [
        ("all.npy", ("avg",), ["all.npy", "all.sources.tsv"]),
        ("d/all.npy", ("avg", "max"), ["d/all.avg.npy", "d/all.max.npy", "d/all.sources.tsv"]),
        ("all.npz", ("avg", "max"), ["all.npz"]),
        ("all.csv", ("avg", "max"), ["all.csv"]),
    ],
)
def test_outputs_of_a_file(output, poolings, paths):
    assert destination(output, poolings=poolings).outputs_of_file() == paths


@pytest.mark.parametrize(("dataset", "name"), [("\ud800", "%ED%A0%80"), ("é/b", "é%2Fb")])
def test_what_a_file_name_can_not_have_is_percent_encoded(tmp_path, dataset, name):
    paths = destination(f"{tmp_path}/").outputs_in_directory(
        InputFile("a.npy", "a.npy"), [dataset, "z"]
    )
    assert paths[0] == f"{tmp_path}/a.{name}.npy"
