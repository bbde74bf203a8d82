"""Pooling commands with options of their own, and poolings that see a map several times."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpool_cli import global_pool
from tests.cli.conftest import Ran

Gpool = Callable[..., Ran]
Save = Callable[..., np.ndarray]


def test_options_and_words_behind_a_colon_are_the_same(gpool: Gpool, save: Save) -> None:
    values = save("a.npy")
    assert gpool("gem", "a.npy", "--p", 4, "--eps", "0.5", "-o", "one.npy").code == 0
    assert gpool("pool", "-m", "gem:eps=0.5,p=4", "a.npy", "-o", "two.npy").code == 0
    one, two = np.load("one.npy"), np.load("two.npy")
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, global_pool(values, "gem:p=4,eps=0.5"))
    assert not np.array_equal(one, global_pool(values, "gem"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("quantile", "a.npy"), "Missing option '--q'"),
        (("gem", "a.npy", "--p", "0"), "p=0 is not possible (it is a number, above 0)"),
        (("topk", "a.npy", "--k", "x"), "k=x is no number (it is a whole number"),
        (("pool", "-m", "gem", "-m", "gem:p=3", "a.npy"), "a pooling is named twice"),
        (("where", "a.npy"), "No such command 'where'"),
    ],
)
def test_wrong_use(gpool: Gpool, save: Save, words: tuple[str, ...], said: str) -> None:
    save("a.npy")
    ran = gpool(*words)
    assert ran.code == 2
    assert said in ran.err


def test_where_beside_the_maxima(gpool: Gpool, save: Save, here: Path) -> None:
    values = save("a.npy", (4, 5, 3))
    places = np.stack(np.unravel_index(values.reshape(20, 3).argmax(axis=0), (4, 5)), axis=-1)
    assert gpool("max", "a.npy", "--where", "-o", "a.npz").code == 0
    with np.load("a.npz") as found:
        np.testing.assert_array_equal(found["a.where"], places[np.newaxis, np.newaxis])
    rows = gpool("max", "a.npy", "--where", "-o", "-", "-f", "csv", "--quiet").out.splitlines()
    assert [row.split(",")[3] for row in rows[1:]] == ["max", "where.H", "where.W"]
    assert [list(map(int, row.split(",")[4:])) for row in rows[2:]] == places.T.tolist()
    lines = gpool("max", "a.npy", "--where", "-o", "-", "-f", "jsonl", "--quiet").out.splitlines()
    assert [json.loads(line)["values"] for line in lines[1:]] == places.T.tolist()


def test_where_in_a_directory_that_is_resumed(gpool: Gpool, save: Save, here: Path) -> None:
    save("in/a.npy")
    save("in/b.npy")
    assert gpool("max", "in", "--where", "-o", "out").code == 0
    (here / "out/b.where.npy").unlink()
    ran = gpool("max", "in", "--where", "-o", "out", "--resume")
    assert ran.code == 0
    assert "1 done before" in ran.out
    assert np.load("out/b.where.npy").shape == (1, 1, 1, 3, 2)


def test_dry_run_says_every_shape(gpool: Gpool, save: Save) -> None:
    save("a.npy")
    ran = gpool("pool", "-m", "avg", "-m", "catavgmax", "a.npy", "--dry-run")
    assert "1x1x3 1x1x6" in ran.out


def test_a_large_map_in_a_pipe_is_seen_again(
    gpool: Gpool, stdin: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpool_cli.poolings.order._KEPT_BYTES", 100)
    values = np.random.default_rng(0).standard_normal((200, 300, 24)).astype("f4")  # 6 MB
    file = io.BytesIO()
    np.save(file, values)
    stdin(file.getvalue())
    assert gpool("median", "-", "-o", "a.npy").code == 0
    np.testing.assert_array_equal(np.load("a.npy").ravel(), np.median(values, axis=(0, 1)))


@pytest.mark.parametrize("shape", [(200, 300, 24), (12, 70, 80, 20)], ids=["map", "batch"])
def test_any_number_of_workers_gives_the_same_bytes(
    gpool: Gpool,
    save: Save,
    here: Path,
    shape: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1)
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 2 << 20)
    monkeypatch.setattr("gpool_cli.poolings.order._KEPT_BYTES", 4 << 20)
    save("a.npy", shape)
    names = ("median", "std", "l1", "rms", "topk:k=5", "lse", "gem", "lp:p=2.5", "range")
    asked = [word for name in names for word in ("-m", name)]
    for jobs in (1, 2):
        assert gpool("pool", *asked, "a.npy", "-j", jobs, "-o", f"{jobs}.npz").code == 0
    assert (here / "1.npz").read_bytes() == (here / "2.npz").read_bytes()


@pytest.mark.parametrize("output", ["o.npy", "o.csv", "o.h5", "o/"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_gem_says_how_many_values_it_took_as_eps(
    gpool: Gpool, here: Path, jobs: int, output: str
) -> None:
    values = np.arange(-6, 6, dtype="f4").reshape(2, 2, 3)
    values[0, 0, 0] = np.nan  # which is below nothing
    Path("t").mkdir()
    for i in range(3):
        np.save(f"t/{i}.npy", values)
    np.save("t/other.npy", np.ones((3, 3, 3), "f4"))
    said = ("--nan", "omit", "--jobs", jobs, "--report", "r.json", "-o", output)
    ran = gpool("pool", "-m", "gem", "-m", "gem:eps=2.5", "t", *said)
    assert ran.code == 0
    clamped = 3 * (6 + 8) + 27
    assert f"{clamped} values below eps, taken as it by gem" in ran.out
    assert json.loads(Path("r.json").read_text())["totals"]["clamped"] == clamped


def test_what_is_masked_is_not_counted_as_eps(gpool: Gpool, here: Path) -> None:
    np.save("x.npy", np.zeros((2, 2, 2, 3)))
    assert "6 values below eps" in gpool("gem", "x.npy", "--mask", "[[1, 0], [0, 0]]").out
    of_each = "[[[1, 0], [0, 0]], [[1, 1], [0, 0]]]"
    assert "9 values below eps" in gpool("gem", "x.npy", "--mask", of_each).out
    assert "below eps" not in gpool("gem", "x.npy", "--eps", "1e-9", "--mask", "[[0,0],[0,0]]").out
