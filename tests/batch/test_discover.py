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


def test_one_file_with_several_keys_is_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("two.h5", "b.h5"):
        (tmp_path / name).touch()
    found = discover(["two.h5:a", "b.h5", "./two.h5:b", "two.h5:a"], keys=["k"])
    assert [(file.path, file.keys) for file in found.files] == [
        ("two.h5", ("k", "a", "b")), ("b.h5", ("k",)),
    ]  # fmt: skip
    assert len(discover(["two.h5", "two.h5:a"]).files) == 2
    assert len(discover(["two.h5", "two.h5"], keys=["k"]).files) == 2


def test_directories_of_one_name_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x/maps", "y/z/maps", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.npy").touch()

    def names(*inputs):
        return [file.name for file in discover(inputs).files]

    assert names("x/maps", "y/z/maps", "other") == [
        "x/maps/a.npy", "y/z/maps/a.npy", "other/a.npy",
    ]  # fmt: skip
    assert names("x/maps", "other") == ["maps/a.npy", "other/a.npy"]
    assert names("x/maps") == ["a.npy"]


def test_an_empty_name_is_refused():
    with pytest.raises(UsageError, match="an input has an empty name"):
        discover(["a.npy", ""])
