"""--resume: finished work is left alone, and the directory ends as after one run."""

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.cli.main import run

MANIFEST, JOURNAL = ".gpool-manifest", ".gpool-journal"


def bytes_in(root: str) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in Path(root).rglob("*") if p.is_file()}


def inodes(root: str) -> dict[str, int]:
    """A file that is written again gets another inode."""
    return {p.name: p.stat().st_ino for p in Path(root).rglob("[!.]*") if p.is_file()}


def cut_short(root: str, entries: int, torn: bytes = b"") -> None:
    """Leave a directory as a run leaves it that is killed after so many inputs."""
    lines = Path(root, MANIFEST).read_bytes().splitlines(keepends=True)
    Path(root, MANIFEST).unlink()
    Path(root, JOURNAL).write_bytes(b"".join(lines[: entries + 1]) + torn)
    kept = {
        output["path"] for line in lines[1 : entries + 1] for output in json.loads(line)["outputs"]
    }
    for path in Path(root).rglob("[!.]*"):
        if path.is_file() and str(path.relative_to(root)) not in kept:
            path.unlink()


RUN = ("avg", "t", "-o", "out", "-f", "npy")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs of every kind in t, and what a run over them has written into out."""
    place = tmp_path_factory.mktemp("finished")
    (place / "t/deep").mkdir(parents=True)
    values = np.random.default_rng(7).normal(size=(4, 5, 3)).astype("f4")
    np.save(place / "t/a.npy", values)
    np.save(place / "t/deep/b.npy", 2 * values)
    np.savez(place / "t/c.npz", x=np.ones((2, 2, 3)), y=np.zeros((2, 2, 3)))
    with h5py.File(place / "t/d.h5", "w") as file:
        file["features"] = 3 * values
    np.savez(place / "t/e.npz", features=4 * values)
    np.savez(place / "t/f.npz", names=np.array(["nothing", "to", "pool"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert run([*RUN, "-q"]) == 0
    return place


@pytest.fixture
def tree(finished, here) -> dict[str, bytes]:
    """A copy of both, with the times of the inputs; and the bytes in out."""
    for name in ("t", "out"):
        shutil.copytree(finished / name, name)
    return bytes_in("out")


@pytest.mark.parametrize(
    ("entries", "torn"),
    [
        *((entries, b"") for entries in range(6)),
        # A torn line is the last one: before it there is nothing, something or all.
        *((entries, torn) for entries in (0, 3, 5) for torn in (b'{"source": "t/c.n', b"\xff\xfe")),
    ],
)
def test_a_run_that_was_cut_short_is_finished(gpool, tree, entries, torn):
    cut_short("out", entries, torn)
    before = inodes("out")
    ran = gpool(*RUN, "--resume")
    assert ran.code == 0
    assert bytes_in("out") == tree
    assert {name: inodes("out")[name] for name in before} == before
    assert (f"{entries} done before" in ran.out) == (entries > 0)


def test_the_manifest_says_what_came_of_what(gpool, tree):
    head, *entries = map(json.loads, tree[MANIFEST].splitlines())
    assert (head["poolings"], head["format"], head["layout"]) == (["avg"], "npy", None)
    assert [entry["source"] for entry in entries] == [
        *("t/a.npy", "t/c.npz", "t/d.h5", "t/deep/b.npy", "t/e.npz")
    ]
    status = os.stat("t/c.npz")
    assert (entries[1]["size"], entries[1]["mtime_ns"]) == (status.st_size, status.st_mtime_ns)
    assert [output["path"] for output in entries[1]["outputs"]] == ["c.x.npy", "c.y.npy"]


def test_a_finished_run_has_nothing_left_to_do(gpool, tree):
    before = inodes("out")
    ran = gpool(*RUN, "--resume")
    assert (ran.code, inodes("out"), bytes_in("out")) == (0, before, tree)
    assert "5 done before" in ran.out


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "directory", "link"])
def test_an_output_that_is_not_whole_is_made_again(gpool, tree, here, harm):
    path = here / "out/c.y.npy"
    whole = path.read_bytes()
    path.unlink()
    if harm == "cut":
        path.write_bytes(whole[:-1])
    elif harm == "changed":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif harm == "link":
        path.symlink_to(here / "out/c.x.npy")
    elif harm == "directory":
        path.mkdir()
    before = inodes("out")
    ran = gpool(*RUN, "--resume")
    if harm == "directory":
        assert (ran.code, len(ran.errors)) == (3, 1)
        return
    assert (ran.code, bytes_in("out")) == (0, tree)
    assert "4 done before" in ran.out
    assert inodes("out")["a.npy"] == before["a.npy"]
    assert not path.is_symlink()


def test_a_source_that_changed_is_pooled_again(gpool, tree, save, here):
    status = os.stat("t/a.npy")
    values = np.load("t/a.npy") + 1
    np.save("t/a.npy", values)
    os.utime("t/a.npy", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert "4 done before" in gpool(*RUN, "--resume").out
    np.testing.assert_allclose(np.load("out/a.npy").ravel(), values.mean(axis=(0, 1)), rtol=1e-6)
    gpool("avg", "t", "-o", "new", "-f", "npy")
    assert bytes_in("out") == bytes_in("new")


def test_a_source_that_is_new_is_pooled_and_one_that_is_gone_stays_on_record(gpool, tree, save):
    save("t/aa.npy")
    os.remove("t/a.npy")
    ran = gpool(*RUN, "--resume")
    assert (ran.code, "4 done before" in ran.out) == (0, True)
    lines = Path("out", MANIFEST).read_text().splitlines()[1:]
    sources = [json.loads(line)["source"] for line in lines]
    assert sources[:3] == ["t/a.npy", "t/aa.npy", "t/c.npz"]


def test_a_failed_input_is_tried_again(gpool, save, here):
    save("t/a.npy")
    good = save("t/b.npy")
    (here / "t/b.npy").write_bytes(b"bad")
    assert gpool(*RUN).code == 1
    ran = gpool(*RUN, "--resume")
    assert (ran.code, "t/b.npy: is no npy file" in ran.err) == (1, True)
    np.save("t/b.npy", good)
    assert gpool(*RUN, "--resume").code == 0
    gpool("avg", "t", "-o", "new", "-f", "npy")
    assert bytes_in("out") == bytes_in("new")


@pytest.mark.parametrize("word", ["--resume", "--overwrite"])
def test_an_input_that_went_bad_leaves_no_result_of_what_it_was(gpool, tree, word):
    Path("t/a.npy").write_bytes(b"bad")
    Path("t/c.npz").write_bytes(b"bad")
    Path("out/c.y.npy").write_bytes(b"somebody else's")
    assert gpool(*RUN, word).code == 1
    gone = set(tree) - set(bytes_in("out"))
    assert gone == {"a.npy", "c.x.npy"}
    assert Path("out/c.y.npy").read_bytes() == b"somebody else's"


@pytest.mark.parametrize("words", [(), ("--resume",), ("--overwrite",)])
def test_what_an_unchanged_input_gave_stays(gpool, save, here, words):
    """The failure may be a passing one: a mask that is away, a lock, a worker that was killed."""
    save("x.npy", (4, 4, 3))
    run = ("avg", "x.npy", "--mask", "{stem}_m.npy", "-o", "out/")
    np.save("x_m.npy", np.ones((4, 4), bool))
    assert gpool(*run).code == 0
    before = Path("out/x.npy").read_bytes()
    os.remove("x_m.npy")
    assert gpool(*run, *words).code == (1 if words else 2)
    assert Path("out/x.npy").read_bytes() == before


def test_other_keys_leave_the_outputs_of_the_first(gpool, here):
    np.savez("a.npz", **{name: np.ones((4, 4, 3), "f4") for name in "abcd"})
    for keys in ("ab", "cd"):
        words = [word for key in keys for word in ("--key", key)]
        assert gpool("avg", "a.npz", *words, "-f", "npy", "-o", "out/").code == 0
    assert sorted(path.name for path in Path("out").glob("a.*")) == [f"a.{k}.npy" for k in "abcd"]


def test_nothing_is_removed_by_a_run_that_may_not_replace(gpool, save, here):
    np.savez("z.npz", a=np.ones((4, 4, 3), "f4"), b=np.ones((4, 4, 3), "f4"))
    assert gpool("avg", "z.npz", "-f", "npy", "-o", "out/").code == 0
    Path("z.npz").write_bytes(b"bad")
    assert gpool("avg", "z.npz", "-f", "npy", "-o", "out/").code == 1
    assert sorted(path.name for path in Path("out").glob("z.*")) == ["z.a.npy", "z.b.npy"]


def test_an_input_that_has_fewer_maps_now_leaves_no_others(gpool, tree):
    np.savez("t/c.npz", x=np.ones((2, 2, 3)), z=np.zeros((2, 2, 3)))
    assert gpool(*RUN, "--resume").code == 0
    gpool("avg", "t", "-o", "new", "-f", "npy")
    assert bytes_in("out") == bytes_in("new")


def test_what_another_input_gives_is_not_removed(gpool, here, monkeypatch):
    """The name of an output may pass from one input to another, even with the same values."""
    monkeypatch.setattr("gpool_cli.batch.waiting._MOST_FILES", 1)
    for name in ("x", "y"):
        os.makedirs(name)
    np.savez("x/c.npz", a=np.ones((2, 2, 3)), b=np.ones((2, 2, 3)))
    np.save("y/c.b.npy", np.ones((2, 2, 3)))
    np.save("y/d.npy", np.ones((2, 2, 3)))
    assert gpool("avg", "x/c.npz", "y/d.npy", "-o", "out/", "-f", "npy").code == 0
    np.savez("x/c.npz", a=np.ones((2, 2, 3)))
    words = ("avg", "y/c.b.npy", "x/c.npz", "-o", "out/", "-f", "npy", "--overwrite")
    assert gpool(*words).code == 0
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["c.b.npy", "c.npy", "d.npy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("max", "t", "-o", "out", "-f", "npy"), "poolings avg, and this run has poolings max"),
        ((*RUN, "--layout", "hwc"), "layout by default, and this run has layout HWC"),
        ((*RUN, "--strict"), "strict off, and this run has strict on"),
        (("avg", "t", "-o", "out"), "format npy, and this run has format by default"),
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_other_parameters_are_refused(gpool, tree, words, said, cut):
    if cut:
        cut_short("out", 2)
    before = bytes_in("out")
    ran = gpool(*words, "--resume")
    assert (ran.code, bytes_in("out"), len(ran.errors)) == (2, before, 1)
    assert f"the results in out were made with {said}" in ran.err


def test_other_keys_make_another_output(gpool, tree):
    ran = gpool("avg", "t/c.npz", "t/d.h5", "-o", "two/", "--key", "*")
    assert ran.code == 0
    ran = gpool("avg", "t/c.npz:x", "t/d.h5", "-o", "two/", "--key", "*", "--resume")
    assert "1 done before" in ran.out


@pytest.mark.parametrize("text", [None, b"", b"nonsense\n\0", b'{"gpool": 1'])
def test_without_a_manifest_all_is_done_again(gpool, tree, here, text):
    (here / "out" / MANIFEST).unlink()
    if text is not None:
        (here / "out" / MANIFEST).write_bytes(text)
    assert gpool(*RUN).code == 2
    ran = gpool(*RUN, "--resume")
    assert (ran.code, "done before" in ran.out, bytes_in("out")) == (0, False, tree)


@pytest.mark.parametrize(
    "line",
    [
        b'{"source": 1, "outputs": [{}]}',
        b"[" * 100_000,
        b"null",
        json.dumps(
            {"source": [], "name": {}, "keys": [], "size": 1, "mtime_ns": 1, "outputs": []}
        ).encode(),
        json.dumps(
            {
                **{"source": "t/c.npz", "name": "c.npz", "keys": [], "size": 1, "mtime_ns": 1},
                "outputs": [{"path": 1, "size": "", "sha256": None}],
            }
        ).encode(),
    ],
    ids=["fields", "nested", "null", "names", "outputs"],
)
def test_a_damaged_line_costs_its_own_input_only(gpool, tree, here, line):
    lines = tree[MANIFEST].splitlines(keepends=True)
    lines[2] = line + b"\n"
    (here / "out" / MANIFEST).write_bytes(b"".join(lines))
    ran = gpool(*RUN, "--resume")
    assert ("4 done before" in ran.out, bytes_in("out")) == (True, tree)


def test_standard_input_is_read_again(gpool, save, stdin, here):
    save("a.npy")
    for words in ((), ("--resume",)):
        stdin((here / "a.npy").read_bytes())
        ran = gpool("avg", "-", "a.npy", "-o", "out", *words)
        assert (ran.code, "1 done before" in ran.out) == (0, bool(words))


@pytest.mark.parametrize("out", [("-o", "x.npy"), ("-o", "x.h5"), ("-o", "-"), ()])
def test_only_a_directory_is_resumed(gpool, save, out):
    save("a.npy")
    ran = gpool("avg", "a.npy", *out, "--resume")
    assert (ran.code, os.listdir(), len(ran.errors)) == (2, ["a.npy"], 1)
    assert "--resume goes on with a directory of outputs" in ran.err


def test_the_first_run_may_say_resume(gpool, tree):
    assert gpool("avg", "t", "-o", "new", "-f", "npy", "--resume").code == 0
    assert bytes_in("new") == tree


def test_a_second_run_of_other_inputs_keeps_what_is_on_record(gpool, save):
    for name in ("one/a.npy", "two/b.npy"):
        save(name)
        assert gpool("avg", name.split("/")[0], "-o", "out").code == 0
    for name in ("one", "two"):
        assert "1 done before" in gpool("avg", name, "-o", "out", "--resume").out


def test_a_run_with_other_parameters_forgets_what_is_on_record(gpool, tree):
    assert gpool("max", "t", "-o", "out", "-f", "npy", "--overwrite").code == 0
    gpool("max", "t", "-o", "new", "-f", "npy")
    assert bytes_in("out") == bytes_in("new")


def test_what_was_cut_short_is_not_forgotten_unasked(gpool, tree):
    cut_short("out", 2)
    before = bytes_in("out")
    for words in (("max", "t", "-o", "out", "-f", "h5"), ("max", "t", "-o", "out", "--dry-run")):
        ran = gpool(*words)
        assert (ran.code, bytes_in("out"), len(ran.errors)) == (2, before, 1)
        assert "a run into out is not finished that had poolings avg, and this run has" in ran.err
    assert gpool(*RUN, "--resume").code == 0
    assert bytes_in("out") == tree
    ran = gpool("max", "t", "-o", "out", "-f", "h5")
    assert ran.code == 0


def test_a_run_that_finished_nothing_hinders_no_other(gpool, tree):
    lines = Path("out", MANIFEST).read_bytes().splitlines(keepends=True)
    Path("out", JOURNAL).write_bytes(lines[0])
    assert gpool("max", "t", "-o", "out", "-f", "h5").code == 0


def test_what_is_not_there_any_more_hinders_no_other_run(gpool, tree):
    cut_short("out", 2)
    for path in Path("out").rglob("[!.]*"):
        if path.is_file():
            path.unlink()
    assert gpool("max", "t", "-o", "out", "-f", "npy").code == 0


def test_a_dry_run_says_what_is_done_and_changes_nothing(gpool, tree):
    cut_short("out", 3)
    before = bytes_in("out")
    ran = gpool(*RUN, "--resume", "--dry-run")
    assert (ran.code, bytes_in("out")) == (0, before)
    assert "2 maps of 3 files would be pooled, 3 done before; nothing was written" in ran.out


def test_the_report_names_what_was_done_before(gpool, tree, here):
    cut_short("out", 2)
    for _ in range(2):  # the same command again must do
        assert gpool(*RUN, "--resume", "--report", "r.json").code == 0
    report = json.loads((here / "r.json").read_text())
    assert (report["totals"]["done_before"], report["totals"]["maps"]) == (5, 0)
    assert report["done_before"][1] == {
        "source": "t/c.npz",
        "written_to": ["out/c.x.npy", "out/c.y.npy"],
    }


def test_what_a_killed_run_left_half_written_is_removed(gpool, tree, here):
    cut_short("out", 2)
    (here / "out/deep").mkdir(exist_ok=True)
    owner = {"pid": 1 << 30, "host": os.uname().nodename, "run": "0badcafe-"}
    (here / "out/.gpool-lock").write_text(json.dumps(owner))
    (here / "out/deep/.gpool-0badcafe-0123456789abcdef.part").write_bytes(b"half")
    (here / "out/.gpool-0123456789abcdef.part").write_bytes(b"of another run")
    assert gpool(*RUN, "--resume").code == 0
    os.remove("out/.gpool-0123456789abcdef.part")
    assert bytes_in("out") == tree


def test_a_copy_of_the_directory_has_the_same_record(gpool, tree):
    shutil.copytree("out", "copy")
    assert "5 done before" in gpool("avg", "t", "-o", "copy", "-f", "npy", "--resume").out


def test_inputs_that_lead_to_other_files_are_always_done_again(gpool, here):
    """Nobody sees whether those have changed."""
    for value in (1, 2):
        with h5py.File("other.h5", "w") as file:
            file["m"] = np.full((2, 2, 3), value, "f4")
        if value == 1:
            with h5py.File("a.h5", "w") as file:
                file["away"] = h5py.ExternalLink("other.h5", "m")
        ran = gpool("avg", "a.h5", "-o", "out/", "--follow-external", "--resume")
        assert ran.code == 0, ran.err
        with h5py.File("out/a.h5") as file:
            assert file["away"][0, 0, 0] == value
    assert gpool("avg", "a.h5", "-o", "out/", "--resume").code == 2
