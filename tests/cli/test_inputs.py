"""Inputs: files, directories, patterns, lists, pipes."""

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest


def sources(ran) -> list[str]:
    """The sources of a jsonl or csv output on standard output, in order."""
    return [line.split(",")[0] for line in ran.out.splitlines()[1:]]


def npy(*arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    for array in arrays:
        np.save(stream, array)
    return stream.getvalue()


CSV = ("-o", "-", "-f", "csv")


def test_a_directory_is_walked_in_sorted_order(gpool, save):
    for name in ("t/b.npy", "t/B.npy", "t/a/z.npy", "t/a.npy", "t/c/d/e.npy", "t/10.npy"):
        save(name)
    ran = gpool("avg", "t", *CSV)
    assert ran.code == 0
    assert sources(ran) == ["10.npy", "B.npy", "a/z.npy", "a.npy", "b.npy", "c/d/e.npy"]


def test_a_walk_skips_dotfiles_and_unknown_suffixes(gpool, save, here):
    save("t/a.npy")
    save("t/UPPER.NPY".lower()).dump(here / "t" / "p.pkl")
    os.rename(here / "t/upper.npy", here / "t/UPPER.NPY")
    save("t/.hidden.npy")
    save("t/.dir/b.npy")
    (here / "t/notes.txt").write_text("nothing")
    (here / "t/README").write_text("nothing")
    ran = gpool("avg", "t", *CSV)
    assert sources(ran) == ["UPPER.NPY", "a.npy"]


def test_symlink_loops_end(gpool, save, here):
    save("t/sub/a.npy")
    (here / "t/sub/loop").symlink_to(here / "t")
    (here / "t/self").symlink_to(here / "t/self")
    ran = gpool("avg", "t", *CSV)
    assert (ran.code, sources(ran)) == (0, ["sub/a.npy"])


def test_a_symlinked_directory_and_file_are_read(gpool, save, here):
    save("elsewhere/a.npy")
    (here / "t").mkdir()
    (here / "t/d").symlink_to(here / "elsewhere")
    (here / "t/f.npy").symlink_to(here / "elsewhere/a.npy")
    assert sources(gpool("avg", "t", *CSV)) == ["d/a.npy", "f.npy"]


def test_a_broken_symlink_in_a_tree_is_reported(gpool, save, here):
    save("t/a.npy")
    (here / "t/gone.npy").symlink_to(here / "nowhere.npy")
    ran = gpool("avg", "t", *CSV)
    assert (ran.code, sources(ran)) == (1, ["a.npy"])
    assert ran.errors[0].startswith("gpool: error: t/gone.npy: can't be read: No such file")


def test_a_fifo_in_a_tree_is_reported_and_not_opened(gpool, save, here):
    save("t/a.npy")
    os.mkfifo(here / "t/b.npy")  # opening it would wait for ever
    ran = gpool("avg", "t", *CSV)
    assert (ran.code, sources(ran)) == (1, ["a.npy"])
    assert "t/b.npy: is not a regular file" in ran.err


def test_the_output_directory_is_no_input(gpool, save, here):
    save("a.npy")
    for _ in range(2):
        ran = gpool("avg", ".", "-o", "pooled", "--overwrite")
        assert ran.code == 0
        assert "1 map of 1 file" in ran.out
    assert sorted(p.name for p in here.rglob("*.npy")) == ["a.npy", "a.npy"]


def test_the_output_file_is_no_input(gpool, save, here):
    save("a.npy")
    for _ in range(2):
        ran = gpool("avg", ".", "-o", "all.npy", "--overwrite")
        assert "1 map of 1 file" in ran.out
    assert np.load("all.npy").shape == (1, 1, 1, 3)


def test_an_output_under_another_name_is_no_input(gpool, save, here):
    save("maps/a.npy")
    (here / "real").mkdir()
    (here / "maps/out").symlink_to(here / "real")
    gpool("avg", "maps", "-o", "real")
    assert "1 map of 1 file" in gpool("avg", "maps", "-o", "real", "--overwrite").out


def test_results_may_stand_beside_their_inputs(gpool, save, here):
    save("maps/a.npy")
    for _ in range(2):
        assert gpool("avg", "maps", "-o", "maps", "-f", "csv", "--overwrite").code == 0
    assert sorted(os.listdir("maps")) == [".gpool-manifest", "a.csv", "a.npy"]


def test_several_directories_are_prefixed_with_their_names(gpool, save, here):
    save("one/a.npy")
    save("two/a.npy")
    assert gpool("avg", "one", "two/", "-o", "out").code == 0
    assert {str(p.relative_to(here / "out")) for p in (here / "out").rglob("*.npy")} == {
        "one/a.npy",
        "two/a.npy",
    }
    assert sources(gpool("avg", "one", "two/", *CSV)) == ["one/a.npy", "two/a.npy"]


def test_one_directory_gives_the_paths_below_it(gpool, save, here):
    save("one/deep/a.npy")
    gpool("avg", "one", "-o", "out")
    assert (here / "out/deep/a.npy").exists()


def test_named_files_give_base_names_or_paths_below_the_base(gpool, save, here):
    save("x/y/a.npy")
    gpool("avg", "x/y/a.npy", "-o", "out/")
    gpool("avg", "x/y/a.npy", "-o", "based/", "--base", "x")
    assert (here / "out/a.npy").exists()
    assert (here / "based/y/a.npy").exists()


def test_a_file_that_is_not_below_the_base_is_refused(gpool, save):
    save("x/a.npy")
    ran = gpool("avg", "x/a.npy", "-o", "out/", "--base", "y")
    assert ran.code == 2
    assert ran.errors == ["gpool: error: x/a.npy is not below y (choose a --base above all inputs)"]


def test_two_inputs_for_one_output_are_refused_before_any_work(gpool, save, here):
    save("x/a.npy")
    save("y/a.npy")
    save("b.npy")
    ran = gpool("avg", "b.npy", "x/a.npy", "y/a.npy", "-o", "out/")
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert "x/a.npy and y/a.npy would both be written to out/a.npy" in ran.err
    assert "--base" in ran.err
    assert not (here / "out").exists()


def test_a_dataset_and_a_file_for_one_output_are_refused(gpool, save, here):
    save("m.a.npy")
    np.savez("m.npz", a=np.ones((2, 2, 3)), b=np.ones((2, 2, 3)))
    ran = gpool("avg", "m.npz", "m.a.npy", "-o", "out/", "-f", "npy")
    assert ran.code == 2
    assert "m.npz and m.a.npy would both be written to out/m.a.npy" in ran.err


def test_in_rows_equal_base_names_are_told_apart(gpool, save):
    save("x/a.npy")
    save("y/a.npy")
    assert sources(gpool("avg", "x/a.npy", "y/a.npy", *CSV)) == ["x/a.npy", "y/a.npy"]
    assert sources(gpool("avg", "x/a.npy", *CSV)) == ["a.npy"]


def test_the_same_file_twice_gives_two_rows(gpool, save):
    save("a.npy")
    assert sources(gpool("avg", "a.npy", "a.npy", *CSV)) == ["a.npy", "a.npy"]


@pytest.fixture
def container(here: Path) -> Path:
    with h5py.File("m.h5", "w") as file:
        for name in ("feat", "deep/feat", "deep/er/feat", "deep/other", "we[i]rd*"):
            file[name] = np.full((2, 2, 3), len(name), "float32")
        file["labels"] = np.arange(4)
        file["deep/names"] = [b"a", b"b"]
    return here / "m.h5"


def datasets(ran) -> list[str]:
    return [line.split(",")[1] for line in ran.out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("key", "chosen"),
    [
        ("feat", ["feat"]),  # an exact name wins over the pattern it also is
        ("/feat", ["feat"]),
        ("deep/feat", ["deep/feat"]),
        ("f*", ["deep/er/feat", "deep/feat", "feat"]),  # without / the last part is matched
        ("deep/*", ["deep/feat", "deep/other"]),  # * stops at /
        ("deep/**", ["deep/er/feat", "deep/feat", "deep/other"]),
        ("**/feat", ["deep/er/feat", "deep/feat", "feat"]),
        ("deep/?ther", ["deep/other"]),
        ("[!f]ther", ["deep/other"]),
        ("we[i]rd*", ["we[i]rd*"]),
    ],
)
def test_keys_choose_datasets(gpool, container, key, chosen):
    ran = gpool("avg", container, "--key", key, *CSV)
    assert ran.code == 0
    assert sorted(datasets(ran)) == chosen
    assert sorted(datasets(gpool("avg", f"{container}:{key}", *CSV))) == chosen


def test_keys_repeat_and_hold_for_all_inputs(gpool, container):
    np.savez("z.npz", feat=np.ones((2, 2, 3)), x=np.ones((2, 2, 3)), other=np.ones((2, 2, 3)))
    ran = gpool("avg", "m.h5", "z.npz", "--key", "feat", "--key", "**other", *CSV)
    assert datasets(ran) == ["deep/other", "feat", "feat", "other"]


def test_a_key_that_matches_nothing_says_what_there_is(gpool, container):
    ran = gpool("avg", "m.h5:nope", *CSV)
    assert (ran.code, ran.out) == (1, "")
    assert ran.errors[0] == (
        "gpool: error: m.h5: holds nothing named 'nope' "
        "(it holds deep/er/feat, deep/feat, deep/names, deep/other, feat, …)"
    )


def test_a_dataset_asked_for_by_name_must_be_a_map(gpool, container):
    ran = gpool("avg", "m.h5:labels", *CSV)
    assert ran.code == 1
    assert ran.errors[0].startswith("gpool: error: m.h5:labels: 1 axis 4 and no default layout")


def test_an_existing_path_with_a_colon_is_a_path(gpool, save):
    values = save("m.h5:feat", dataset="x")
    save("m.h5", dataset="feat")
    os.rename("m.h5:feat", "m.npy.h5:feat")
    ran = gpool("max", "m.npy.h5:feat", "-o", "-")
    np.testing.assert_array_equal(np.load(io.BytesIO(ran.data)).ravel(), values.max(axis=(0, 1)))


def test_the_first_colon_behind_a_suffix_splits(gpool, here):
    with h5py.File("m.h5", "w") as file:
        file["a.h5:b"] = np.ones((2, 2, 3))
    assert datasets(gpool("avg", "m.h5:a.h5:b", *CSV)) == ["a.h5:b"]


def test_a_list_of_names_in_a_file(gpool, save, here):
    for name in ("b.npy", "a b.npy", "c.npy"):
        save(name)
    Path("list").write_bytes(b"b.npy\r\na b.npy\r\n\r\nc.npy")
    assert sources(gpool("avg", "--files-from", "list", *CSV)) == ["b.npy", "a b.npy", "c.npy"]
    assert sources(gpool("avg", "c.npy", "--files-from", "list", *CSV))[0] == "c.npy"


def test_a_list_of_names_on_standard_input(gpool, save, stdin):
    save("a\nb.npy")
    save("c.npy")
    stdin(b"a\nb.npy\0c.npy\0")
    ran = gpool("avg", "--files-from", "-", "-0", *CSV)
    assert ran.code == 0
    assert [line.split(",")[0] for line in ran.out.splitlines()[1:]] == [r"a\nb.npy", "c.npy"]
    stdin(b"c.npy\n")
    assert sources(gpool("avg", "--files-from", "-", *CSV)) == ["c.npy"]


def test_names_that_are_no_utf8_are_read_and_shown_escaped(gpool, save, stdin):
    save("a.npy")
    os.rename("a.npy", b"\xff\xe9.npy")
    stdin(b"\xff\xe9.npy\n")
    ran = gpool("avg", "--files-from", "-", "-o", "out/")
    assert ran.code == 0
    assert r"\udcff\udce9.npy" in ran.out
    assert sorted(os.listdir(b"out")) == [b".gpool-manifest", b"\xff\xe9.npy"]


def test_a_list_with_nul_in_its_names_is_reported(gpool, save, stdin):
    save("a.npy")
    stdin(b"a.npy\0b.npy\n")
    ran = gpool("avg", "--files-from", "-")
    assert ran.code == 1
    assert ran.errors == [r"gpool: error: a.npy\x00b.npy: is not there (check the name)"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no input was named (name files or directories, or - for a pipe)"),
        (("-0", "a.npy"), "-0 says how --files-from separates names (add --files-from LIST)"),
        (("-", "-"), "standard input can be read only once (name - once)"),
        (("-", "--files-from", "-"), "standard input can't be both a list and a map (name - once)"),
        (
            ("--files-from", "nope"),
            "can't read the list nope: No such file or directory (check --files-from)",
        ),
    ],
)
def test_words_that_make_no_sense(gpool, words, said):
    ran = gpool("avg", *words)
    assert (ran.code, ran.out, ran.errors) == (2, "", [f"gpool: error: {said}"])


def test_a_missing_file_fails_and_the_others_are_done(gpool, save):
    save("a.npy")
    ran = gpool("avg", "nope.npy", "no/dir/x.npy", "a.npy", *CSV)
    assert (ran.code, sources(ran)) == (1, ["a.npy"])
    assert ran.errors[:2] == [
        "gpool: error: nope.npy: is not there (check the name)",
        "gpool: error: no/dir/x.npy: is not there (there is no directory no/dir either)",
    ]


@pytest.mark.parametrize("command", ["avg", "info"])
def test_an_empty_directory_is_no_success(gpool, here, command):
    (here / "empty").mkdir()
    ran = gpool(command, "empty")
    assert ran.code == 1
    assert "were found in empty (" in ran.errors[0]


def test_an_empty_list_is_no_success(gpool, stdin):
    stdin(b"\n")
    ran = gpool("avg", "--files-from", "-", "-o", "out.npy")
    assert ran.code == 1
    assert ran.errors == ["gpool: error: no feature maps were found: the list of inputs is empty"]
    assert not os.path.exists("out.npy")


def test_standard_input_holds_one_array_or_several(gpool, stdin):
    one, two = np.arange(12.0).reshape(2, 2, 3), np.ones((3, 1, 2), "float32")
    stdin(npy(one, two))
    ran = gpool("max", "-", "-o", "-")
    assert ran.code == 0
    stream = io.BytesIO(ran.data)
    np.testing.assert_array_equal(np.load(stream), one.max(axis=(0, 1), keepdims=True))
    np.testing.assert_array_equal(np.load(stream), two.max(axis=(0, 1), keepdims=True))
    assert not stream.read()


def test_standard_input_into_a_directory_has_names(gpool, stdin, here):
    stdin(npy(np.ones((2, 2, 3)), np.ones((2, 2, 3))))
    assert gpool("max", "-", "-o", "out/").code == 0
    assert sorted(os.listdir("out")) == [".gpool-manifest", "stdin.1.npy", "stdin.npy"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "-: is empty (there is no array in it)"),
        (b"hello, world", "-: is no npy"),
        (npy(np.ones((4, 4, 3)))[:-5], "-: ends 5 bytes short"),
    ],
)
def test_what_is_wrong_with_standard_input_is_said(gpool, stdin, data, said):
    stdin(data)
    ran = gpool("avg", "-", "-o", "-")
    assert (ran.code, ran.data) == (1, b"")
    assert ran.errors[0].startswith(f"gpool: error: {said}")


def test_what_a_walk_finds_without_maps_is_skipped_and_what_is_named_fails(gpool, save, here):
    save("t/a.npy")
    with h5py.File("t/strings.h5", "w") as file:
        file["names"] = [b"a"]
    walked = gpool("avg", "t")
    assert walked.code == 0
    assert "skipped t/strings.h5:names (1): holds strings" in walked.out
    named = gpool("avg", "t/strings.h5")
    assert named.code == 1
    assert "t/strings.h5: holds no feature map (see what is in it with: gpool info" in named.err


def test_every_dataset_that_is_skipped_is_listed_with_its_reason(gpool, here):
    with h5py.File("m.h5", "w") as file:
        file["features"] = np.ones((2, 2, 3))
        file["coords"] = np.ones((5, 2))
        file["scalar"] = 3.0
        file["text"] = "hello"
        file["compound"] = np.zeros(3, [("a", "i4"), ("b", "f4")])
        file["complex"] = np.zeros((2, 2, 3), "complex64")
        file["empty"] = np.zeros((0, 2, 3))
    ran = gpool("avg", "m.h5")
    assert ran.code == 0
    reasons = {
        line.split()[1].removeprefix("m.h5:"): line.split(": ", 1)[1]
        for line in ran.out.splitlines()
        if line.startswith("skipped")
    }
    assert reasons == {
        "coords": "has 2 axes, not 3 to 5",
        "scalar:": "has 0 axes, not 3 to 5",
        "text:": "holds strings",
        "compound": "is compound",
        "complex": "is complex",
        "empty": "has no values: its shape is 0x2x3",
    }


def test_the_layout_says_how_many_axes_a_map_has(gpool, here):
    np.savez(
        "m.npz",
        vector=np.ones(3),
        pair=np.ones((5, 3)),
        batch=np.ones((2, 5, 3)),
        map4=np.ones((1, 2, 5, 3)),
    )
    ran = gpool("avg", "m.npz", "--layout", "LC", "-o", "-", "-f", "csv")
    assert datasets(ran) == ["pair", "batch", "batch"]


def test_what_is_called_otherwise_is_read_so_whatever_stands_before_it(gpool, save, here):
    """An npy file that is called h5 is no HDF5 file, also behind npy files of its shape."""
    save("a.npy")
    (here / "b.h5").write_bytes((here / "a.npy").read_bytes())
    save("c.npy")
    ran = gpool("avg", "a.npy", "b.h5", "c.npy", "-o", "out.npy")
    assert ran.code == 1
    assert "b.h5: is no HDF5 file" in ran.err
    assert len(np.load("out.npy")) == 2
