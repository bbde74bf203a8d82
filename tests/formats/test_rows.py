"""Rows that wait to be one array, and the table that names them."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.errors import InputError, OutputError
from gpool_cli.formats import rows as rows_module
from gpool_cli.formats import spool as spool_module
from gpool_cli.formats.atomic import put_in_place
from gpool_cli.formats.rownames import RowNames
from gpool_cli.formats.rows import RowSpool, SameShape, batch_first, label


def spooled(spool: RowSpool) -> np.ndarray:
    chunks = list(spool.chunks())
    spool.close()
    return np.concatenate(chunks)


class TestBatchFirst:
    def test_a_map_gets_a_batch_axis(self, make_result) -> None:
        assert batch_first(make_result([1, 2, 3])).shape == (1, 1, 1, 3)

    def test_a_batch_has_one(self, make_result) -> None:
        assert batch_first(make_result(np.zeros((4, 1, 1, 3)), axes="NHWC")).shape == (4, 1, 1, 3)

    def test_a_batch_axis_inside_is_moved(self, make_result) -> None:
        values = np.arange(6).reshape(2, 1, 3)
        moved = batch_first(make_result(values, axes="CLN"))
        np.testing.assert_array_equal(moved, np.moveaxis(values, 2, 0))


class TestSpool:
    def test_rows_come_back_in_order(self, make_result) -> None:
        spool = RowSpool()
        counts = [spool.add(make_result(np.full((n, 1, 1, 3), n), axes="NHWC")) for n in (2, 1, 3)]
        assert counts == [2, 1, 3]
        assert spool.shape(True) == (6, 1, 1, 3)
        assert spooled(spool)[:, 0, 0, 0].tolist() == [2, 2, 1, 3, 3, 3]

    def test_more_than_memory_bears(self, make_result, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spool_module, "IN_MEMORY", 1000)
        monkeypatch.setattr(rows_module, "BLOCK_BYTES", 100)
        values = np.arange(900, dtype="f4").reshape(100, 1, 1, 9)
        spool = RowSpool()
        for first in range(0, 100, 10):
            spool.add(make_result(values[first : first + 10], axes="NHWC"))
        chunks = list(spool.chunks())
        spool.close()
        assert max(chunk.nbytes for chunk in chunks) <= 100
        np.testing.assert_array_equal(np.concatenate(chunks), values)

    @pytest.mark.parametrize(
        ("axes", "shape"), [("HWC", (1, 1, 3)), ("CHW", (3, 1, 1)), ("NHWC", (2, 1, 1, 3))]
    )
    def test_a_lone_result_keeps_its_shape(
        self, axes: str, shape: tuple[int, ...], make_result
    ) -> None:
        spool = RowSpool()
        spool.add(make_result(np.zeros(shape), axes=axes))
        assert spool.shape(batched=False) == shape
        assert spool.shape(batched=True) == (shape if "N" in axes else (1, *shape))
        spool.close()

    def test_two_results_do_not(self, make_result) -> None:
        spool = RowSpool()
        spool.add(make_result([1, 2, 3]))
        spool.add(make_result([4, 5, 6]))
        assert spool.shape(batched=False) == (2, 1, 1, 3)
        spool.close()

    def test_axes_before_c_count_too(self, make_result) -> None:
        """Rows of 1×1×3 and of 3×1×1 are no rows of one array."""
        same = SameShape()
        same.rows_of(make_result([1, 2, 3], "one.h5", "g/m"))
        with pytest.raises(InputError) as caught:
            same.rows_of(make_result(np.zeros((3, 1, 1)), "two.npy", axes="CHW"))
        assert caught.value.message == (
            "gives rows of 3x1x1 (map 7x5x3), but one.h5:g/m gives 1x1x3 (map 7x5x3)"
        )


class TestDtypes:
    @pytest.mark.parametrize(
        ("first", "second", "said"),
        [
            ("i8", "f4", "int64 and float32"),
            ("f8", "u8", "float64 and uint64"),
            ("i8", "u8", "int64 and uint64"),
        ],
    )
    def test_integers_that_would_change(self, first, second, said, make_result) -> None:
        spool = RowSpool()
        one, two = (
            replace(make_result([1, 2]), values=np.ones((1, 1, 2), d)) for d in (first, second)
        )
        spool.add(one)
        with pytest.raises(InputError) as caught:
            spool.add(two)
        assert caught.value.message == f"the rows are {said}: no dtype holds both"
        assert caught.value.hint == "choose one with --dtype, or write .h5 or .jsonl"
        spool.add(one)
        assert spool.shape(True) == (2, 1, 1, 2)
        spool.close()

    @pytest.mark.parametrize(
        ("first", "second", "both"),
        [("i4", "f4", "f8"), ("i2", "f2", "f4"), ("u4", "i4", "i8"), ("?", "f2", "f2")],
    )
    def test_what_one_dtype_holds(self, first, second, both, make_result) -> None:
        spool = RowSpool()
        for dtype in (first, second):
            spool.add(replace(make_result([1, 2]), values=np.ones((1, 1, 2), dtype)))
        assert spool.dtype == both
        spool.close()


class TestTemporaryFile:
    def test_no_room(self, make_result, monkeypatch: pytest.MonkeyPatch) -> None:
        def full() -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(spool_module, "IN_MEMORY", 4)
        monkeypatch.setattr("tempfile.TemporaryFile", full)
        spool = RowSpool()
        with pytest.raises(OutputError) as caught:
            spool.add(make_result([1, 2, 3]))
        assert caught.value.message == "can't write a temporary file: No space left on device"
        assert caught.value.hint == ("make room in the directory for temporary files (TMPDIR)")
        spool.close()


class TestLabel:
    @pytest.mark.parametrize(
        ("name", "dataset", "expected"),
        [
            ("a.npy", "", "a.npy"),
            ("x/a.h5", "g/m", "x/a.h5:g/m"),
            ("a\n.npy", "\x1b[31m", "a\\n.npy:\\x1b[31m"),
        ],
    )
    def test_label(self, name: str, dataset: str, expected: str, make_result) -> None:
        assert label(make_result([1], name, dataset)) == expected


class TestRowNames:
    def test_a_row_for_every_row(self, make_result, tmp_path: Path) -> None:
        names = RowNames()
        names.add(make_result([1, 2, 3], "a.npy"))
        names.add(make_result(np.zeros((2, 1, 1, 3)), "b\t.h5", "g/\udcffm", axes="NHWC"))
        path = tmp_path / "out.sources.tsv"

        written = names.write(str(path))
        put_in_place([written])
        names.close()

        assert written.size == path.stat().st_size
        assert names.results == 2
        with path.open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file, delimiter="\t")) == [
                ["row", "source", "dataset", "index"],
                ["0", "a.npy", "", "0"],
                ["1", "b\\t.h5", "g/\\udcffm", "0"],
                ["2", "b\\t.h5", "g/\\udcffm", "1"],
            ]

    def test_pieces_of_a_batch_are_counted_on(self, make_result, tmp_path: Path) -> None:
        names = RowNames()
        whole = make_result(np.zeros((3, 1, 1, 3)), axes="NHWC")
        names.add(replace(whole, values=whole.values[:2], rows=3))
        names.add(replace(whole, values=whole.values[2:], start=2, rows=3))
        put_in_place([names.write(str(tmp_path / "a.tsv"))])
        names.close()
        assert (tmp_path / "a.tsv").read_text().split("\n")[1:4] == [
            "0\ta.npy\t\t0",
            "1\ta.npy\t\t1",
            "2\ta.npy\t\t2",
        ]
        assert names.results == 1

    def test_a_failure_leaves_nothing(
        self, make_result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = RowNames()
        names.add(make_result([1, 2, 3]))

        def full() -> Iterator[bytes]:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(names._file, "chunks", full)
        with pytest.raises(OutputError, match="No space left"):
            names.write(str(tmp_path / "a.tsv"))
        names.close()
        assert list(tmp_path.iterdir()) == []
