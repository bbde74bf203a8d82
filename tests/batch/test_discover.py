"""From words to files, as functions."""

import os

import pytest

from gpool_cli.batch.discover import discover, read_list, split_key
from gpool_cli.errors import UsageError


@pytest.mark.parametrize(
    ("word", "path", "keys"),
    [
        ("a.h5:x", "a.h5", ("x",)),
        ("a.H5:x/*", "a.H5", ("x/*",)),
        ("a.nc:x", "a.nc", ("x",)),
        ("a.nc4:x", "a.nc4", ("x",)),
        ("d.h5/a.npz:x", "d.h5/a.npz", ("x",)),
        ("a.h5:b.h5:x", "a.h5", ("b.h5:x",)),
        ("C:/a.h5:x", "C:/a.h5", ("x",)),
        ("a.h5:x\ny", "a.h5", ("x\ny",)),
        ("a.npy:x", "a.npy:x", ()),
        ("a.h5:", "a.h5:", ()),
        ("a.h5", "a.h5", ()),
        ("a:b", "a:b", ()),
    ],
)
def test_the_colon_rule(tmp_path, monkeypatch, word, path, keys):
    monkeypatch.chdir(tmp_path)
    assert split_key(word) == (path, keys)


def test_an_existing_path_is_always_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.h5:x").symlink_to("nowhere")
    assert split_key("a.h5:x") == ("a.h5:x", ())


@pytest.mark.parametrize(
    ("text", "nul", "names"),
    [
        (b"", False, []),
        (b"a\nb\n", False, ["a", "b"]),
        (b"a\r\nb\r", False, ["a", "b"]),
        (b"a\n\n b \n", False, ["a", " b "]),
        (b"a\nb\0c\r", True, ["a\nb", "c\r"]),
        (b"\xff\n", False, ["\udcff"]),
    ],
)
def test_lists(text, nul, names):
    assert read_list(text, nul) == names


def test_standard_input_is_named_once():
    with pytest.raises(UsageError, match="only once"):
        discover(["-", "-"])


def test_a_directory_that_cannot_be_listed_is_a_failure(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.npy").touch()
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover([str(tmp_path)])
    assert [file.name for file in found.files] == ["a.npy"]
    assert [(file.name, error.message) for file, error in found.missing] == [
        ("sub", "can't be listed: Permission denied")
    ]


def test_a_lone_file_is_alone_and_nothing_else_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").touch()
    (tmp_path / "d").mkdir()
    assert discover(["a.npy"]).alone
    assert discover(["-"]).alone
    assert not discover(["d"]).alone
    assert not discover(["a.npy", "a.npy"]).alone
