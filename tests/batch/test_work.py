"""One file's work: what comes out of it, whatever is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gpool_cli.access import Access
from gpool_cli.batch import work
from gpool_cli.batch.work import pool_file
from gpool_cli.errors import Terminated
from gpool_cli.model import Failed, InputFile, Outcome, Result, Skipped, Task, Warned
from gpool_cli.recipe import PoolingSpec, Recipe

BOTH = (PoolingSpec("avg"), PoolingSpec("max"))


def outcomes(
    path: Path,
    *,
    named: bool = True,
    keys: tuple[str, ...] = (),
    strict: bool = False,
    poolings: tuple[PoolingSpec, ...] = BOTH[:1],
    **recipe: Any,
) -> list[Outcome]:
    file = InputFile(str(path), path.name, named, keys)
    return list(pool_file(Task(file, Recipe(poolings, **recipe), strict)))


def only(kind: type, said: list[Outcome]) -> Any:
    """The one outcome of this kind."""
    (one,) = [outcome for outcome in said if isinstance(outcome, kind)]
    return one


def kinds(said: list[Outcome]) -> list[str]:
    return [type(outcome).__name__ for outcome in said]


@pytest.fixture
def two_maps(tmp_path: Path) -> Path:
    path = tmp_path / "two.npz"
    np.savez(path, a=np.ones((2, 3, 4), np.float32), b=np.zeros((5, 6, 4)), label=np.arange(9))
    return path


class TestResults:
    def test_a_map_then_the_files_last_word(self, tmp_path: Path) -> None:
        np.save(tmp_path / "m.npy", np.ones((2, 3, 4), np.float32))
        said = outcomes(tmp_path / "m.npy")
        assert kinds(said) == ["Result", "FileDone"]
        result = only(Result, said)
        assert result.values.shape == (1, 1, 4)
        assert result.axes == "HWC"
        assert result.parts == 1
        assert (result.first, result.is_last) == (True, True)

    def test_poolings_in_the_order_asked_for(self, two_maps: Path) -> None:
        said = outcomes(two_maps, poolings=BOTH[::-1])
        results = [outcome for outcome in said if isinstance(outcome, Result)]
        assert [(r.info.dataset, r.pooling.name) for r in results] == [
            ("a", "max"),
            ("a", "avg"),
            ("b", "max"),
            ("b", "avg"),
        ]
        assert {r.parts for r in results} == {2}
        assert only(Skipped, said).dataset == "label"
        assert only(Skipped, said).reason == "has 1 axis, not 3 to 5"

    def test_arrays_one_after_the_other_in_a_file(self, tmp_path: Path) -> None:
        with open(tmp_path / "m.npy", "wb") as file:
            for _ in range(3):
                np.save(file, np.ones((2, 3, 4)))
        said = outcomes(tmp_path / "m.npy")
        assert kinds(said) == ["Result"] * 3 + ["FileDone"]

    @pytest.mark.parametrize(
        ("layout", "style", "shape", "axes"),
        [
            (None, "channels-last", (1, 1, 1, 4), "NHWC"),
            (None, "flat", (1, 4), "NC"),
            ("CHW", "keepdims", (1, 2, 1, 1), "NCHW"),
            ("NHC", "channels-last", (2, 1, 4), "NHC"),
        ],
    )
    def test_batched(
        self, tmp_path: Path, layout: str, style: str, shape: tuple[int, ...], axes: str
    ) -> None:
        np.save(tmp_path / "m.npy", np.ones((2, 3, 4)))
        said = outcomes(tmp_path / "m.npy", layout=layout, shape=style, batched=True)
        assert only(Result, said).values.shape == shape
        assert only(Result, said).axes == axes

    def test_left_out_nan_are_counted_once(self, tmp_path: Path) -> None:
        values = np.ones((2, 3, 4))
        values[0, 0, :2] = np.nan
        np.save(tmp_path / "m.npy", values)
        said = outcomes(tmp_path / "m.npy", nan="omit", poolings=BOTH)
        assert sum(outcome.omitted for outcome in said if isinstance(outcome, Result)) == 2


class TestDoubts:
    def test_a_suspect_layout_is_pooled_with_a_warning(self, tmp_path: Path) -> None:
        np.save(tmp_path / "m.npy", np.ones((512, 7, 7), np.float32))
        said = outcomes(tmp_path / "m.npy")
        assert kinds(said) == ["Warned", "Result", "FileDone"]
        assert only(Warned, said).kind == "layout"
        assert "--layout CHW" in only(Warned, said).message

    def test_strict_makes_it_a_failure(self, tmp_path: Path) -> None:
        np.save(tmp_path / "m.npy", np.ones((512, 7, 7), np.float32))
        said = outcomes(tmp_path / "m.npy", strict=True)
        assert kinds(said) == ["Failed", "FileDone"]
        assert "--layout CHW" in only(Failed, said).hint

    def test_a_layout_that_was_given_is_not_doubted(self, tmp_path: Path) -> None:
        np.save(tmp_path / "m.npy", np.ones((512, 7, 7), np.float32))
        assert kinds(outcomes(tmp_path / "m.npy", layout="CHW", strict=True)) == [
            "Result",
            "FileDone",
        ]


class TestNothingToPool:
    @pytest.mark.parametrize(("named", "kind"), [(True, Failed), (False, Skipped)])
    def test_a_failure_only_where_the_user_named_the_file(
        self, tmp_path: Path, named: bool, kind: type
    ) -> None:
        np.savez(tmp_path / "labels.npz", label=np.arange(9))
        said = outcomes(tmp_path / "labels.npz", named=named)
        whole_file = [o for o in said if isinstance(o, kind) and o.dataset == ""]
        assert len(whole_file) == 1
        assert "holds no feature map" in str(whole_file[0])


class TestFailures:
    def test_one_bad_dataset_does_not_cost_the_others(self, tmp_path: Path) -> None:
        path = tmp_path / "mixed.npz"
        np.savez(path, bad=np.full((2, 2, 2), np.nan), good=np.ones((2, 2, 2)))
        said = outcomes(path, nan="error")
        assert kinds(said) == ["Failed", "Result", "FileDone"]
        assert only(Failed, said).dataset == "bad"
        assert only(Result, said).info.dataset == "good"

    def test_a_damaged_chunk_does_not_cost_the_other_datasets(self, tmp_path: Path) -> None:
        path = tmp_path / "damaged.h5"
        with h5py.File(path, "w") as file:
            data = np.random.default_rng(0).random((8, 8, 4))
            bad = file.create_dataset("bad", data=data, chunks=(8, 8, 4), fletcher32=True)
            file.create_dataset("good", data=data)
            place = bad.id.get_chunk_info(0).byte_offset
        with open(path, "r+b") as raw:
            raw.seek(place)
            raw.write(b"\xff" * 64)
        said = outcomes(path)
        assert kinds(said) == ["Failed", "Result", "FileDone"]
        assert only(Failed, said).dataset == "bad"
        assert only(Failed, said).message.startswith("can't be read at (0, 0, 0)")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "can't be read: No such file or directory"),
            (b"", "is empty"),
            (b"hello, world", "npy"),
        ],
    )
    def test_an_unreadable_file(self, tmp_path: Path, content: bytes | None, message: str) -> None:
        path = tmp_path / "m.npy"
        if content is not None:
            path.write_bytes(content)
        said = outcomes(path)
        assert kinds(said) == ["Failed", "FileDone"]
        assert message in only(Failed, said).message

    @pytest.mark.parametrize(
        ("raised", "message"),
        [
            (OSError(5, "Input/output error"), "can't be read: Input/output error"),
            (OSError("odd"), "can't be read: odd"),
            (MemoryError(), "does not fit into memory"),
            (ValueError("surprise"), "can't be read: ValueError: surprise"),
            (RecursionError("deep"), "can't be read: RecursionError: deep"),
        ],
    )
    def test_whatever_a_library_raises(
        self, monkeypatch: pytest.MonkeyPatch, two_maps: Path, raised: Exception, message: str
    ) -> None:
        self.blocks_raise(monkeypatch, raised)
        said = outcomes(two_maps)
        failures = [outcome for outcome in said if isinstance(outcome, Failed)]
        assert failures
        assert {failure.message for failure in failures} == {message}

    @pytest.mark.parametrize("raised", [Terminated("terminated"), KeyboardInterrupt()])
    def test_the_end_of_the_run_is_no_fault_of_a_file(
        self, monkeypatch: pytest.MonkeyPatch, two_maps: Path, raised: BaseException
    ) -> None:
        self.blocks_raise(monkeypatch, raised)
        with pytest.raises(type(raised)):
            outcomes(two_maps)

    def blocks_raise(self, monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> None:
        from gpool_cli.formats.npz import NpzReader

        def blocks(*_: Any, **__: Any) -> Iterator[Any]:
            raise raised
            yield

        monkeypatch.setattr(NpzReader, "blocks", blocks)


class TestTheFileIsClosed:
    def test_after_its_last_word_and_when_nobody_listens_on(
        self, monkeypatch: pytest.MonkeyPatch, two_maps: Path
    ) -> None:
        closed = []
        opened = work.open_anew

        def open_anew(path: str, access: Access) -> Any:
            reader = opened(path, access)
            close = reader.close
            reader.close = lambda: (closed.append(path), close())
            return reader

        monkeypatch.setattr(work, "open_anew", open_anew)
        outcomes(two_maps)
        assert len(closed) == 1
        unfinished = pool_file(Task(InputFile(str(two_maps), "two.npz"), Recipe(BOTH)))
        next(unfinished)
        unfinished.close()
        assert len(closed) == 2
