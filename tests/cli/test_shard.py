"""--shard and merge: what comes of the parts is what one run writes, byte for byte, and says."""

import hashlib
import itertools
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.errors import Interrupted

FORMATS = ["out.h5", "out.npz", "out.npy", "out.csv", "out.tsv", "out.jsonl", "out", "out/"]


def contents(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def maps(save, here: Path) -> None:
    """Files that are alike, others, a batch, attributes, and a few that fail or are skipped."""
    for i in range(7):
        save(f"maps/a{i}.npy", (4, 5, 3))
    save("maps/b.npz", (6, 4, 5, 3))
    (here / "maps/bad.npy").write_bytes((here / "maps/a1.npy").read_bytes()[:200])
    save("maps/c.h5", (4, 4, 3))
    with h5py.File("maps/c.h5", "r+") as file:
        file.attrs["title"] = "a title"
        file.attrs["numbers"] = np.arange(3)
        file.attrs["table"] = np.array([(1, 2.5)], [("a", "i4"), ("b", "f8", (1,))])
        file.attrs["words"] = ["one", "two"]
        file.attrs["nested"] = np.zeros(2, [("n", [("q", "f4", (2,)), ("w", "S3")])])
        file.attrs["told"] = np.array([(1, "hi")], [("x", "i4"), ("y", h5py.string_dtype())])
        file["features"].attrs["layout"] = "HWC"
        file["group/note"] = "no map"
        file["group"].attrs["of"] = b"bytes"
    save("maps/d.npy", (2, 3, 3), "float64")
    (here / "maps/e\udcff.npy").write_bytes((here / "maps/a2.npy").read_bytes())
    values = np.full((2, 3, 3), np.nan, "f4")
    np.save("maps/nan.npy", values)
    np.save("maps/wrong.npy", np.ones((3, 4, 4), "f4"))


def shards(gpool, count: int, *words: str) -> int:
    codes = [gpool(*words, "--shard", f"{i}/{count}").code for i in range(1, count + 1)]
    return max(codes)


@pytest.mark.parametrize(
    ("output", "count"),
    [
        *((output, 3) for output in FORMATS),
        # One part; and more than inputs, some of them empty: which is the same in every format.
        *(
            pytest.param(output, count, marks=[pytest.mark.slow] * (output != FORMATS[0]))
            for output in FORMATS
            for count in (1, 20)
        ),
    ],
)
def test_merged_parts_are_what_one_run_writes_and_says(
    gpool, maps, here: Path, output: str, count: int
) -> None:
    for place in ("one", "two"):
        os.mkdir(place)
    words = ("pool", "-m", "avg", "-m", "max", "maps", "gone.npy", "--jobs", "2")
    whole = gpool(*words, "-o", f"one/{output}")
    assert whole.code == 1
    assert shards(gpool, count, *words, "-o", output) == 1
    parts = sorted(here.glob("*.shard"), reverse=True)
    assert len(parts) == count
    merged = gpool("merge", *parts, "-o", f"two/{output}")
    assert merged.err == whole.err
    assert merged.out == whole.out.replace("one/", "two/")
    assert merged.code == whole.code
    assert contents(here / "two") == contents(here / "one")
    assert contents(here / "one")


@pytest.mark.parametrize("output", ["x.npz", "x.h5"])
def test_a_stack_is_merged_too(gpool, save, here: Path, output: str) -> None:
    for i in range(5):
        save(f"maps/a{i}.npy")
    assert gpool("avg", "maps", "--stack", "-o", f"one-{output}").code == 0
    assert shards(gpool, 2, "avg", "maps", "--stack", "-o", output) == 0
    assert gpool("merge", *here.glob("*.shard"), "-o", output).code == 0
    assert (here / output).read_bytes() == (here / f"one-{output}").read_bytes()


def test_a_merged_directory_is_gone_on_with(gpool, save, here: Path) -> None:
    for i in range(4):
        save(f"maps/a{i}.npy")
    assert shards(gpool, 2, "avg", "maps", "-o", "out") == 0
    assert gpool("merge", *here.glob("*.shard"), "-o", "out").code == 0
    assert "4 done before" in gpool("avg", "maps", "-o", "out", "--resume").out
    save("maps/a2.npy")
    assert "3 done before" in gpool("avg", "maps", "-o", "out", "--resume").out


def test_an_input_that_changed_before_the_merge_is_not_done(gpool, save, here: Path) -> None:
    for i in range(4):
        save(f"maps/a{i}.npy")
    assert shards(gpool, 2, "avg", "maps", "-o", "out") == 0
    os.utime("maps/a1.npy", (1, 1))
    assert gpool("merge", *here.glob("*.shard"), "-o", "out").code == 0
    assert "3 done before" in gpool("avg", "maps", "-o", "out", "--resume").out


def test_the_inputs_are_not_needed_for_a_merge(gpool, save, here: Path) -> None:
    save("maps/a.npy")
    save("maps/b.npy")
    assert shards(gpool, 2, "avg", "maps", "-o", "all.npy") == 0
    os.rename("maps", "elsewhere")
    assert gpool("merge", *here.glob("*.shard"), "-o", "all.npy").code == 0
    assert np.load("all.npy").shape == (2, 1, 1, 3)


def test_a_part_that_is_interrupted_is_not_written(gpool, maps, monkeypatch, here: Path) -> None:
    def check() -> None:
        raise Interrupted

    monkeypatch.setattr("gpool_cli.batch.run.check", check)
    ran = gpool("avg", "maps", "-o", "out/", "--shard", "1/2")
    assert ran.code == 130
    assert ran.errors[-1] == "gpool: error: interrupted; a part is written when it is whole"
    assert os.listdir(here) == ["maps"]


def test_shards_share_the_inputs_evenly() -> None:
    from gpool_cli.batch.shard import Shard

    for total, count in itertools.product(range(12), range(1, 15)):
        shares = [Shard(i, count).share(range(total)) for i in range(1, count + 1)]
        assert [item for share in shares for item in share] == list(range(total))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.fixture
def parts(gpool, save, here: Path) -> list[Path]:
    for i in range(6):
        save(f"maps/a{i}.npy")
    assert shards(gpool, 3, "avg", "maps", "-o", "x.npy") == 0
    return sorted(here.glob("*.shard"))


def refused(gpool, *words: object) -> str:
    ran = gpool(*words)
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert ran.out == ""
    return ran.err


def test_parts_that_are_missing_are_named(gpool, parts: list[Path]) -> None:
    said = refused(gpool, "merge", parts[0], parts[2], "-o", "x.npy")
    assert "of 3 parts these are missing: 2 (make them with --shard 2/3" in said
    assert not os.path.exists("x.npy")


def test_a_part_that_is_there_twice_is_refused(gpool, parts: list[Path]) -> None:
    os.link(parts[1], "copy.shard")
    said = refused(gpool, "merge", *parts, "copy.shard", "-o", "x.npy")
    assert "copy.shard are both part 2 of 3" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("max", "maps", "-o", "x.npy"), "options avg, against max"),
        (("avg", "maps", "-o", "x.npy", "--nan", "omit"), "options avg, against avg nan=omit"),
        (("avg", "maps", "-o", "x.npy", "--strict"), "--strict no, against yes"),
        (("avg", "maps", "-o", "x.csv"), "format npy, against csv"),
        (("avg", "maps", "--key", "x", "-o", "x.npy"), "inputs, whose names have the checksum"),
        (("avg", "maps/a0.npy", "maps/a1.npy", "-o", "x.npy"), "inputs: 6, against 2"),
    ],
)
def test_parts_of_another_run_are_refused(
    gpool, parts: list[Path], words: tuple[str, ...], said: str
) -> None:
    parts[2].unlink()
    assert gpool(*words, "--shard", "3/3").code == 0
    other = next(iter(set(Path().absolute().glob("*.shard")) - set(parts[:2])))
    found = refused(gpool, "merge", parts[0], parts[1], other, "-o", "y.npy")
    assert "are of different runs" in found
    assert said in found


def test_parts_of_another_number_are_refused(gpool, parts: list[Path]) -> None:
    assert gpool("avg", "maps", "-o", "x.npy", "--shard", "3/4").code == 0
    said = refused(gpool, "merge", *parts[:2], "x.npy.3-of-4.shard", "-o", "y.npy")
    assert "different runs: 3 parts, against 4" in said


@pytest.mark.parametrize("size", [0, 5, 100, -80, -1])
def test_a_part_that_is_cut_is_refused(gpool, parts: list[Path], size: int) -> None:
    whole = parts[1].read_bytes()
    parts[1].write_bytes(whole[:size])
    said = refused(gpool, "merge", *parts, "-o", "y.npy")
    assert "2-of-3.shard is no part" in said or "2-of-3.shard is damaged or cut short" in said


def test_a_part_with_one_bit_changed_is_refused(gpool, parts: list[Path]) -> None:
    whole = bytearray(parts[1].read_bytes())
    for place in range(0, len(whole), 97):
        parts[1].write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        refused(gpool, "merge", *parts, "-o", "y.npy")


def signed(whole: bytes) -> bytes:
    """A part with the checksum that fits it."""
    lines = whole[: whole.rindex(b"sha256 ")]
    return lines + f"sha256 {hashlib.sha256(lines).hexdigest()}\n".encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"shard": ', b'"shared": '),
        (b'"shard": [2', b'"shard": [[], 2'),
        (b'"is":"Alike"', b'"is":"Nothing"'),
        (b'"is":"Alike"', b'"is":"InputFile"'),
        (b'{"file":1}', b'{"file":999}'),
        (b'"array":[2,', b'"array":[99999999999999,'),
        (b'"array":[2,', b'"array":[9,'),
        (b'"dtype":"<f4"', b'"dtype":"<f44"'),
    ],
)
def test_a_part_that_says_nonsense_is_damaged(
    gpool, parts: list[Path], old: bytes, new: bytes
) -> None:
    whole = parts[1].read_bytes()
    assert old in whole
    parts[1].write_bytes(signed(whole.replace(old, new)))
    said = refused(gpool, "merge", *parts, "-o", "y.npy")
    assert "2-of-3.shard is damaged or cut short" in said
    assert not os.path.exists("y.npy")


def test_a_part_is_never_the_output(gpool, parts: list[Path], here: Path) -> None:
    for name, words in (("y.npy", ()), ("y.json", ("--report", "y.json"))):
        parts[0] = parts[0].rename(here / name)
        before = parts[0].read_bytes()
        for more in ((), ("--overwrite",)):
            said = refused(gpool, "merge", *parts, "-o", "y.npy", *words, *more)
            assert f"the output {name} is the input" in said
            assert parts[0].read_bytes() == before


def test_a_part_of_another_version_is_refused(gpool, parts: list[Path]) -> None:
    whole = parts[1].read_bytes().replace(b'"version": "', b'"version": "9', 1)
    parts[1].write_bytes(whole)
    assert "was written by gpool 9" in refused(gpool, "merge", *parts, "-o", "y.npy")


def test_files_that_are_no_parts_are_refused(gpool, parts: list[Path], here: Path) -> None:
    assert "a0.npy is no part of a run" in refused(gpool, "merge", "maps/a0.npy", "-o", "y.npy")
    assert "can't read the part gone" in refused(gpool, "merge", "gone", "-o", "y.npy")
    (here / "odd.shard").write_text('{"gpool part": 1, "version"' + "[" * 100_000)
    assert "odd.shard is no part" in refused(gpool, "merge", "odd.shard", "-o", "y.npy")


def test_the_output_must_be_of_the_kind_that_the_parts_are_for(gpool, parts: list[Path]) -> None:
    said = refused(gpool, "merge", *parts, "-o", "x.csv")
    assert "the parts were made for a .npy file, and -o x.csv is none" in said
    assert "is none" in refused(gpool, "merge", *parts, "-o", "x/")


def test_what_is_there_is_not_replaced(gpool, parts: list[Path]) -> None:
    words = ("avg", "maps", "-o", "x.npy", "--shard", "1/3")
    assert "x.npy.1-of-3.shard is already there" in refused(gpool, *words)
    assert gpool(*words, "--overwrite").code == 0
    assert gpool("merge", *parts, "-o", "x.npy").code == 0
    assert "the output x.npy is already there, as is 1 more" in refused(
        gpool, "merge", *parts, "-o", "x.npy"
    )
    assert gpool("merge", *parts, "-o", "x.npy", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "x.npy", "--shard", "0/3"), "--shard 0/3 is no part of a whole"),
        (("-o", "x.npy", "--shard", "4/3"), "--shard 4/3 is no part"),
        (("-o", "x.npy", "--shard", "three"), "--shard three is no part"),
        (("--shard", "1/3"), "--shard writes a part beside the output"),
        (("-o", "-", "--shard", "1/3"), "--shard writes a part beside the output"),
        (("-o", "x", "--resume", "--shard", "1/3"), "--resume goes on with a directory"),
        (("-o", "x.h5", "--copy-others", "--shard", "1/3"), "--copy-others needs all at once"),
        (("-", "-o", "x.npy", "--shard", "1/3"), "standard input has no parts"),
    ],
)
def test_a_shard_that_makes_no_sense_is_refused(
    gpool, save, words: tuple[str, ...], said: str
) -> None:
    save("maps/a.npy")
    assert said in refused(gpool, "avg", "maps", *words)


def test_two_inputs_of_one_name_are_refused_by_every_shard(gpool, save) -> None:
    save("one/a.npy")
    save("two/a.npy")
    words = ("avg", "one/a.npy", "two/a.npy", "-o", "out/", "--shard")
    assert "would both be written to" in refused(gpool, *words, "1/2")
    assert "would both be written to" in refused(gpool, *words, "2/2")


def test_the_plan_of_a_shard_is_its_part(gpool, save, here: Path) -> None:
    for i in range(4):
        save(f"maps/a{i}.npy")
    ran = gpool("avg", "maps", "-o", "x.npy", "--shard", "2/4", "--dry-run")
    assert ran.code == 0
    assert "1 map of 1 file would be pooled" in ran.out
    assert not list(here.glob("*.shard"))
