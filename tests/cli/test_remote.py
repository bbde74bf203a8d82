"""URLs on the command line: the bytes of a local run, over real HTTP, whatever servers do."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.remote import calls, s3
from tests.cli.conftest import Ran
from tests.servers.store import Handler, Store, endless, error, reset

Gpool = Callable[..., Ran]


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def some(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).random(shape, np.float32)


@pytest.fixture
def tree(here: Path, store: Store) -> Path:
    """A directory, and the same as objects below ``b/maps``."""
    top = here / "maps"
    (top / "in").mkdir(parents=True)
    np.save(top / "b.npy", some(5, 6, 3))
    np.save(top / "in" / "a b+%.npy", some(4, 4, 3))
    np.savez_compressed(top / "in" / "z.npz", one=some(7, 7, 3), two=some(2, 3, 3))
    with h5py.File(top / "c.h5", "w") as file:
        file.create_dataset("g/x", data=some(9, 9, 3), chunks=(4, 4, 3), compression="gzip")
        file["g/y"] = some(5, 5, 3)
    (top / "note.txt").write_text("no map")
    (top / ".hidden.npy").write_text("no map")
    for path in top.rglob("*"):
        if path.is_file():
            store.files[f"b/{path.relative_to(here).as_posix()}"] = path.read_bytes()
    return top


def files_below(top: Path) -> dict[str, bytes]:
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in top.rglob("*")
        if path.is_file() and not path.name.startswith(".gpool-")
    }


class TestInputs:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_tree_gives_what_the_directory_gives(
        self, gpool: Gpool, here: Path, tree: Path, store: Store, jobs: int
    ) -> None:
        assert gpool("avg", tree, "-o", "near").code == 0
        store.page = 2  # The listing comes in pages.
        assert gpool("avg", "s3://b/maps", "-o", "far", "--jobs", jobs).code == 0
        assert files_below(here / "far") == files_below(here / "near")
        assert len(files_below(here / "far")) == 4

    def test_files_by_name_in_rows(
        self, gpool: Gpool, here: Path, tree: Path, store: Store
    ) -> None:
        names = ["b.npy", "c.h5:y", "in/z.npz:two"]
        assert gpool("max", *(tree / name for name in names), "-o", "near.csv").code == 0
        words = [f"{store.url}/b/maps/b.npy", "s3://b/maps/c.h5:y", "s3://b/maps/in/z.npz:two"]
        assert gpool("max", *words, "-o", "far.csv").code == 0
        assert (here / "far.csv").read_bytes() == (here / "near.csv").read_bytes()

    def test_a_list_of_urls(self, gpool: Gpool, here: Path, tree: Path, store: Store) -> None:
        (here / "list").write_text(f"s3://b/maps/b.npy\n{store.url}/b/maps/c.h5?who=me#x\n")
        ran = gpool("max", "--files-from", "list")
        assert ran.code == 0, ran.err
        assert "3 maps of 2 files" in ran.out

    def test_info_reads_headers_only(self, gpool: Gpool, store: Store) -> None:
        store.files["b/a.npy"] = npy(some(200, 100, 64))
        ran = gpool("info", "s3://b/a.npy")
        assert ran.code == 0
        assert "200x100x64" in ran.out
        assert store.bytes_asked == 64 << 10

    def test_a_large_file_is_dealt_out_and_no_byte_is_fetched_for_nothing(
        self, gpool: Gpool, here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 6 << 20)
        monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 6 << 20)
        monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
        values = some(150, 32, 32, 24)  # 15 MB: three parts
        np.save(here / "a.npy", values)
        with h5py.File(here / "a.h5", "w") as file:
            file.create_dataset("x", data=values, chunks=(5, 32, 32, 24))
        for name in ("a.npy", "a.h5"):
            shutil.copy(here / name, here / f"near-{name}")
            data = store.files[f"b/{name}/{name}"] = (here / name).read_bytes()
            store.bytes_asked = 0
            far = gpool("avg", f"s3://b/{name}/", "-o", f"far-{name}.csv", "--jobs", 2)
            assert far.code == 0, far.err
            assert store.bytes_asked <= 1.05 * len(data)
            assert gpool("avg", here / name, "--stack", "-o", f"{name}.csv").code == 0
            assert (here / f"far-{name}.csv").read_bytes() == (here / f"{name}.csv").read_bytes()

    def test_names_in_a_listing_are_data(self, gpool: Gpool, here: Path, store: Store) -> None:
        data = npy(some(2, 2, 3))
        for name in ("../up.npy", "a/../../../up2.npy", "\x1b[31mred.npy", "a\nb&<.npy"):
            store.files[f"b/t/{name}"] = data
        ran = gpool("avg", "s3://b/t/", "-o", "out/deep")
        assert ran.code == 0, ran.err
        assert "\x1b" not in ran.out + ran.err
        # Those that would climb are passed over like others that begin with a dot.
        assert len(files_below(here)) == len(files_below(here / "out" / "deep")) == 2

    def test_a_listing_of_other_places_leads_nowhere(self, gpool: Gpool, store: Store) -> None:
        def lying(handler: Handler) -> bool:
            body = (
                b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>secret/a.npy"
                b"</Key><Size>9</Size></Contents></ListBucketResult>"
            )
            handler.answer(200, body, Content_Type="application/xml")
            return True

        store.faults = [lying]
        ran = gpool("avg", "s3://b/t/")
        assert ran.code == 1
        assert "has nothing below it" in ran.err
        assert len(store.requests) == 1

    def test_a_listing_without_an_end_ends(self, gpool: Gpool, store: Store) -> None:
        def again(handler: Handler) -> bool:
            body = (
                b"<ListBucketResult><IsTruncated>true</IsTruncated>"
                b"<NextContinuationToken>x</NextContinuationToken></ListBucketResult>"
            )
            handler.answer(200, body, Content_Type="application/xml")
            return True

        store.faults = [again] * 100
        ran = gpool("avg", "s3://b/t/")
        assert ran.code == 1
        assert "has a listing without an end" in ran.err
        assert len(store.requests) < 5

    @pytest.mark.parametrize("fault", [error(500), reset, endless], ids=["500", "reset", "endless"])
    def test_a_file_that_fails_costs_the_others_nothing(
        self, gpool: Gpool, store: Store, fault: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "PATIENCE", 1.0)
        store.files["b/good.npy"] = npy(some(2, 2, 3))
        store.files["b/bad.npy"] = npy(some(300, 40, 30))

        def only_bad(handler: Handler) -> bool:
            return "bad" in handler.path and fault(handler)  # type: ignore[operator]

        store.faults = [only_bad] * 100
        ran = gpool("avg", "s3://b/bad.npy", "s3://b/good.npy")
        assert ran.code == 1
        assert "1 map of 2 files" in ran.out
        assert "s3://b/bad.npy: can't be read" in ran.err

    def test_an_hdf5_file_behind_a_url_leads_to_no_other(
        self, gpool: Gpool, here: Path, store: Store
    ) -> None:
        with h5py.File(here / "a.h5", "w") as file:
            file["link"] = h5py.ExternalLink(f"{store.url}/b/other.h5", "/x")
            file["near"] = h5py.ExternalLink("/etc/passwd", "/x")
            layout = h5py.VirtualLayout((3, 3, 3), "f4")
            layout[:] = h5py.VirtualSource(f"{store.url}/b/other.h5", "x", (3, 3, 3))
            file.create_virtual_dataset("virtual", layout)
        store.files["b/a.h5"] = (here / "a.h5").read_bytes()
        ran = gpool("avg", "s3://b/a.h5", "--follow-external")
        assert ran.code == 1
        assert {path for _, path in store.requests} == {"/b/a.h5"}

    def test_an_hdf5_file_that_fails_in_the_middle_says_why(
        self, gpool: Gpool, here: Path, store: Store
    ) -> None:
        with h5py.File(here / "a.h5", "w") as file:
            file.create_dataset("x", data=some(64, 64, 256), chunks=(8, 8, 256), compression="lzf")
        store.files["b/a.h5"] = (here / "a.h5").read_bytes()
        store.faults = [None, *[error(500)] * 100]
        ran = gpool("avg", "s3://b/a.h5")
        assert ran.code == 1
        assert "4 tries" in ran.err

    def test_resume_leaves_alone_what_a_listing_says_is_the_same(
        self, gpool: Gpool, tree: Path, store: Store
    ) -> None:
        assert gpool("avg", "s3://b/maps", "-o", "far").code == 0
        ran = gpool("avg", "s3://b/maps", "-o", "far", "--resume")
        assert ran.code == 0
        assert "4 done before" in ran.out
        store.files["b/maps/b.npy"] = npy(some(6, 6, 3))
        ran = gpool("avg", "s3://b/maps", "-o", "far", "--resume")
        assert "3 done before" in ran.out

    @pytest.mark.parametrize(
        ("word", "said"),
        [
            ("ftp://h/a.npy", "is no URL that gpool reads"),
            ("s3:///a.npy", "names no host or bucket"),
            ("https://me:secret@h/a.npy", "has a user name in it"),
            ("http://h/maps/", "a web server lists no files"),
            ("http://h/maps", "a web server lists no files"),
        ],
    )
    def test_wrong_urls_are_wrong_usage(self, gpool: Gpool, word: str, said: str) -> None:
        ran = gpool("avg", word)
        assert ran.code == 2
        assert said in ran.err
        assert "secret" not in ran.err


class TestOutputs:
    @pytest.mark.parametrize("name", ["o.npy", "o.npz", "o.h5", "o.csv", "o.jsonl"])
    def test_a_file_is_the_one_that_is_written_here(
        self, gpool: Gpool, here: Path, tree: Path, store: Store, name: str
    ) -> None:
        assert gpool("avg", tree, "-o", name).code == 0
        ran = gpool("avg", tree, "-o", f"s3://b/out/{name}")
        assert ran.code == 0, ran.err
        assert f"written to s3://b/out/{name}" in ran.out
        written = {key: data for key, data in store.files.items() if key.startswith("b/out/")}
        assert written == {f"b/out/{path.name}": path.read_bytes() for path in here.glob("o.*")}

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_prefix_has_what_a_directory_has(
        self, gpool: Gpool, here: Path, tree: Path, store: Store, jobs: int
    ) -> None:
        words = ["pool", "-m", "avg", "-m", "max"]
        assert gpool(*words, tree, "-o", "out").code == 0
        ran = gpool(*words, "s3://b/maps", "-o", "s3://b/out", "--jobs", jobs)
        assert ran.code == 0, ran.err
        written = {key for key in store.files if key.startswith("b/out/")}
        expected = files_below(here / "out")
        assert {key: store.files[key] for key in written} == {
            f"b/out/{name}": data for name, data in expected.items()
        }

    def test_what_is_there_is_replaced_only_when_asked(
        self, gpool: Gpool, tree: Path, store: Store
    ) -> None:
        for output in ("s3://b/o.csv", "s3://b/out/"):
            assert gpool("avg", tree, "-o", output).code == 0
            ran = gpool("max", tree, "-o", output)
            assert ran.code == 2
            assert "is already there" in ran.err
            assert gpool("max", tree, "-o", output, "--overwrite").code == 0
        assert b",max," in store.files["b/o.csv"]

    def test_an_output_that_no_header_foretold_replaces_nothing(
        self, gpool: Gpool, here: Path, store: Store
    ) -> None:
        (here / "a.npy").write_bytes(npy(some(2, 2, 3)) * 2)
        store.files["b/out/a.1.npy"] = b"precious"
        ran = gpool("avg", "a.npy", "-o", "s3://b/out/")
        assert ran.code == 1
        said = "a.npy:1: would be written to s3://b/out/a.1.npy, which is already there"
        assert said in ran.err
        assert store.files == {"b/out/a.1.npy": b"precious"}
        assert gpool("avg", "a.npy", "-o", "s3://b/out/", "--overwrite").code == 0
        assert store.files["b/out/a.1.npy"] == store.files["b/out/a.npy"]

    def test_an_output_is_never_an_input(self, gpool: Gpool, tree: Path, store: Store) -> None:
        ran = gpool("avg", "s3://b/maps/b.npy", "-o", "s3://b/maps/b.npy", "--overwrite")
        assert ran.code == 2
        assert "is an input" in ran.err
        assert gpool("avg", "s3://b/maps", "-o", "s3://b/maps/out").code == 0
        again = gpool("avg", "s3://b/maps", "-o", "s3://b/maps/out", "--overwrite")
        assert "6 maps of 4 files" in again.out

    def test_an_input_that_fails_leaves_none(self, gpool: Gpool, here: Path, store: Store) -> None:
        np.save(here / "good.npy", some(2, 2, 3))
        (here / "bad.npy").write_bytes(b"no")
        assert gpool("avg", "good.npy", "bad.npy", "-o", "s3://b/out/").code == 1
        assert set(store.files) == {"b/out/good.npy"}

    def test_a_fault_that_passes_is_not_seen(self, gpool: Gpool, tree: Path, store: Store) -> None:
        store.faults = [None, error(500), reset, error(503)]
        assert gpool("avg", tree, "-o", "s3://b/o.csv").code == 0
        assert "b/o.csv" in store.files

    @pytest.mark.parametrize("output", ["s3://b/o.csv", "s3://b/out/"])
    def test_what_can_not_be_written_is_an_error_and_leaves_nothing(
        self, gpool: Gpool, tree: Path, store: Store, output: str
    ) -> None:
        def no_writing(handler: Handler) -> bool:
            return handler.command == "PUT" and error(500)(handler)

        store.faults = [no_writing] * 200
        before = set(store.files)
        ran = gpool("avg", tree, "-o", output)
        assert ran.code == 3
        assert "can't be written" in ran.err
        assert set(store.files) == before

    def test_a_large_file_goes_in_parts_and_appears_when_all_are_there(
        self, gpool: Gpool, here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3, "_PART", 5000)
        np.save(here / "a.npy", some(20, 2, 2, 300))
        assert gpool("avg", "a.npy", "-o", "near.npy").code == 0
        assert gpool("avg", "a.npy", "-o", "s3://b/far.npy").code == 0
        assert store.files["b/far.npy"] == (here / "near.npy").read_bytes()
        assert not store.parts

        def no_third(handler: Handler) -> bool:
            assert "b/lost.npy" not in store.files
            return "partNumber=3" in handler.path and error(500)(handler)

        store.faults = [no_third] * 200
        assert gpool("avg", "a.npy", "-o", "s3://b/lost.npy").code == 3
        assert "b/lost.npy" not in store.files
        assert not store.parts  # Nothing is kept that nobody finishes.

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["-o", "http://h/o.npy"], "only read"),
            (["-o", "s3://b/out", "--resume"], "--resume needs a lock and a record"),
            (["-o", "s3://b/o.xyz"], "means no format"),
            (["-o", "ftp://h/o.npy"], "is no URL"),
        ],
    )
    def test_what_can_not_hold_its_promises_is_refused(
        self, gpool: Gpool, here: Path, words: list[str], said: str
    ) -> None:
        np.save(here / "a.npy", some(2, 2, 3))
        ran = gpool("avg", "a.npy", *words)
        assert ran.code == 2
        assert said in ran.err
        assert os.listdir(here) == ["a.npy"]
