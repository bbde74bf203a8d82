"""What a URL can't be, or is in other commands than the poolings; each refusal before any work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Ran
from tests.making import mat
from tests.servers.store import Store

Gpool = Callable[..., Ran]


@pytest.fixture
def one(here: Path, store: Store) -> str:
    """One map, near and behind a URL."""
    np.save(here / "a.npy", np.arange(60, dtype=np.float32).reshape(4, 5, 3))
    store.files["b/maps/a.npy"] = (here / "a.npy").read_bytes()
    return "s3://b/maps/a.npy"


@pytest.mark.parametrize("option", ["--mask", "--weights-map"])
@pytest.mark.parametrize("name", ["s3://b/maps/m.npy", "{stem}_m.npy", "{dir}/m.npy"])
def test_masks_and_weights_are_read_from_a_disk(
    gpool: Gpool, one: str, option: str, name: str
) -> None:
    ran = gpool("avg", one, option, name)
    assert ran.code == 2
    assert "is a URL, and a" in ran.err


def test_a_mask_on_the_disk_goes_with_a_url(gpool: Gpool, here: Path, one: str) -> None:
    (here / "masks").mkdir()
    np.save(here / "masks" / "a.npy", np.eye(4, 5) > 0)
    assert gpool("avg", one, "--mask", "masks/{stem}.npy", "-o", "far.npy").code == 0
    assert gpool("avg", "a.npy", "--mask", "masks/{stem}.npy", "-o", "near.npy").code == 0
    assert (here / "far.npy").read_bytes() == (here / "near.npy").read_bytes()


@pytest.mark.parametrize("end", ["", "/"])
def test_a_zarr_store_is_not_read_by_url(gpool: Gpool, store: Store, end: str) -> None:
    ran = gpool("avg", f"s3://b/a.zarr{end}")
    assert ran.code == 1
    assert "is a zarr store, a directory, which is not read by URL" in ran.err


def test_a_matlab_file_is_read_by_url(gpool: Gpool, here: Path, store: Store) -> None:
    mat.write(here / "a.mat", {"x": np.random.default_rng(1).random((6, 7, 3))})
    store.files["b/a.mat"] = (here / "a.mat").read_bytes()
    assert gpool("avg", "s3://b/a.mat", "-o", "far.npy").code == 0
    assert gpool("avg", "a.mat", "-o", "near.npy").code == 0
    assert (here / "far.npy").read_bytes() == (here / "near.npy").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("avg", "a.npy", "-o", "s3://b/all.npy", "--shard", "1/2"),
        ("avg", "a.npy", "-o", "all.npy", "--report", "s3://b/run.json"),
        ("show", "a.npy", "-o", "s3://b/a.png"),
    ],
    ids=["shard", "report", "picture"],
)
def test_what_only_a_disk_holds(gpool: Gpool, here: Path, one: str, words: tuple[str, ...]) -> None:
    ran = gpool(*words)
    assert ran.code == 2
    assert "is a URL, and" in ran.err
    assert not (here / "all.npy").exists()


def test_parts_of_urls_make_the_whole(gpool: Gpool, here: Path, one: str, store: Store) -> None:
    store.files["b/maps/c.npy"] = store.files["b/maps/a.npy"]
    assert gpool("avg", "s3://b/maps", "-o", "all.npy").code == 0
    for shard in ("1/2", "2/2"):
        assert gpool("avg", "s3://b/maps", "-o", "cut.npy", "--shard", shard).code == 0
    parts = sorted(here.glob("cut.npy*"))
    assert gpool("merge", *parts, "-o", "s3://b/cut.npy").code == 2
    assert gpool("merge", *parts, "-o", "cut.npy").code == 0
    assert (here / "cut.npy").read_bytes() == (here / "all.npy").read_bytes()


def test_other_commands_read_urls(gpool: Gpool, one: str) -> None:
    for words in (("info", one, "--stats"), ("info", "s3://b/maps/"), ("show", one)):
        ran = gpool(*words)
        assert ran.code == 0, ran.err
