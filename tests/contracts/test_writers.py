"""What every writer keeps: the numbers, one row a map, the same bytes twice, harmless names."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats import TABLE, Row, load_writer
from gpool_cli.formats.interface import Array, WriteStyle
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
from gpool_cli.ranking import Ranking
from gpool_cli.recipe import PoolingSpec

WRITERS = [row for row in TABLE if row.writer]
every_writer = pytest.mark.parametrize("row", WRITERS, ids=lambda row: row.name)
containers = pytest.mark.parametrize(
    "row", [row for row in WRITERS if row.container], ids=lambda row: row.name
)
texts = pytest.mark.parametrize(
    "row", [row for row in WRITERS if row.text], ids=lambda row: row.name
)
OBJECTS = ("jsonl", "json")
DTYPES = ["?", "u1", "i2", "i4", "i8", "u8", "f2", "f4", "f8"]


def a_result(
    values: object,
    name: str = "a.npy",
    dataset: str = "",
    pooling: str = "avg",
    axes: str = "HWC",
    input_shape: tuple[int, ...] = (),
) -> Result:
    """A result, whose values are 1×1×D unless they have more axes."""
    array = np.asarray(values)
    if array.ndim == 1:
        array = array.reshape((1,) * (len(axes) - 1) + array.shape)
    info = ArrayInfo(dataset, input_shape or (7, 5, array.shape[-1]), np.dtype("f4"))
    file = InputFile(name, name)
    return Result(file, info, Layout(axes), PoolingSpec(pooling), array, axes)


def write(row: Row, results: Sequence[Result], style: WriteStyle | None = None) -> bytes:
    """Write results as a run does, and give the bytes."""
    file = io.BytesIO()
    writer = load_writer(row)(file, style or WriteStyle())
    last = None
    try:
        for result in results:
            if result.file != last:
                writer.begin(result.file)
                last = result.file
            writer.add(result)
    except InputError:
        writer.abandon()
        raise
    writer.finish()
    assert not file.closed
    return file.getvalue()


def rows_of_npy(data: bytes, dtype: str) -> list[Array]:
    file, rows = io.BytesIO(data), []
    while file.tell() < len(data):
        array = np.load(file)
        rows += list(array.reshape(-1, array.shape[-1]))
    return rows


def rows_of_npz(data: bytes, dtype: str) -> list[Array]:
    with np.load(io.BytesIO(data)) as file:
        arrays = [file[name] for name in file.files if name != "sources"]
    return [row for array in arrays for row in array.reshape(-1, array.shape[-1])]


def rows_of_h5(data: bytes, dtype: str) -> list[Array]:
    arrays: list[Array] = []
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(
            lambda name, item: (
                arrays.append(item[()])
                if isinstance(item, h5py.Dataset) and name != "sources"
                else None
            )
        )
    return [row for array in arrays for row in array.reshape(-1, array.shape[-1])]


def table_of(row: Row, data: bytes) -> list[list[str]]:
    text = data.decode("utf-8")
    return list(csv.reader(io.StringIO(text), delimiter="\t" if row.name == "tsv" else ","))


def from_text(words: Sequence[str], dtype: str) -> Array:
    if np.dtype(dtype).kind == "f":
        return np.array([np.dtype(dtype).type(word) for word in words])
    return np.array([int(word) for word in words], dtype)


def rows_of_csv(data: bytes, dtype: str, delimiter: str = ",") -> list[Array]:
    _, *rows = csv.reader(io.StringIO(data.decode("utf-8")), delimiter=delimiter)
    return [from_text(row[4:], dtype) for row in rows]


def rows_of_tsv(data: bytes, dtype: str) -> list[Array]:
    return rows_of_csv(data, dtype, "\t")


def objects_of(row: Row, data: bytes) -> list[dict[str, Any]]:
    """The objects of a jsonl or a json."""
    if row.name == "json":
        return list(json.loads(data))
    return [json.loads(line) for line in data.decode("utf-8").splitlines()]


def rows_of_jsonl(data: bytes, dtype: str) -> list[Array]:
    return arrays_of([json.loads(line) for line in data.decode("utf-8").splitlines()], dtype)


def rows_of_json(data: bytes, dtype: str) -> list[Array]:
    return arrays_of(json.loads(data), dtype)


def arrays_of(lines: list[dict[str, Any]], dtype: str) -> list[Array]:
    return [
        np.array([np.nan if value is None else value for value in line["values"]], dtype)
        for line in lines
    ]


def rows_of_parquet(data: bytes, dtype: str) -> list[Array]:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(io.BytesIO(data)).column("vector").to_pylist()
    return [np.array(row, dtype) for row in rows]


# A new format is read back here, by a plain library.
READ_BACK: dict[str, Callable[[bytes, str], list[Array]]] = {
    "npy": rows_of_npy,
    "npz": rows_of_npz,
    "h5": rows_of_h5,
    "csv": rows_of_csv,
    "tsv": rows_of_tsv,
    "jsonl": rows_of_jsonl,
    "json": rows_of_json,
    "parquet": rows_of_parquet,
}


TAKING_TURNS = [row for row in WRITERS if not row.needs and load_writer(row).in_turns]


def arrays_in(row: Row, data: bytes) -> list[tuple[str, str, bytes]]:
    """Name, dtype and bytes of every array of a container."""
    if row.name == "npz":
        with np.load(io.BytesIO(data)) as file:
            found = [(name, file[name]) for name in file.files]
    else:
        with h5py.File(io.BytesIO(data)) as file:
            found = [(name, file[name][()]) for name in names_in(row, data)]
    return [
        (name, str(array.dtype), b"".join(array) if array.dtype == object else array.tobytes())
        for name, array in found
    ]


def assert_bits(got: Array, expected: Array) -> None:
    assert got.dtype == expected.dtype
    assert got.tobytes() == expected.tobytes()


def awkward(dtype: str) -> Array:
    """The values of a dtype that are hard to write down."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([True, False, True])
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.array([limits.min, limits.max, limits.max - 1, 0, 7], kind)
    limits = np.finfo(kind)
    drawn = np.random.default_rng(0).normal(size=200).astype(kind)
    rare = [limits.max, limits.min, limits.tiny, limits.smallest_subnormal, limits.eps, 0.0, -0.0]
    thirds = np.array([1, 2, 1e-3]).astype(kind) / kind.type(3)
    return np.concatenate([np.array(rare, kind), thirds, drawn])


class TestNumbers:
    @every_writer
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_read_back_bit_for_bit(self, row: Row, dtype: str) -> None:
        values = awkward(dtype)

        (got,) = READ_BACK[row.name](write(row, [a_result(values)]), dtype)

        assert_bits(got, values)

    @every_writer
    def test_nan_and_infinities(self, row: Row) -> None:
        values = np.array([np.nan, np.inf, -np.inf, 1.5], "f4")

        data = write(row, [a_result(values)])

        (got,) = READ_BACK[row.name](data, "f4")
        if row.name in OBJECTS:
            assert objects_of(row, data)[0]["values"] == [None, None, None, 1.5]
        else:
            np.testing.assert_array_equal(got, values)

    @texts
    def test_text_has_the_shortest_digits(self, row: Row) -> None:
        data = write(row, [a_result(np.array([0.1, 1 / 3], "f4"))]).decode()

        assert "0.1" in data
        assert "0.10000000149" not in data
        assert "0.33333334" in data
        assert "0.333333343" not in data

    @pytest.mark.parametrize("name", OBJECTS)
    def test_json_is_strict(self, name: str) -> None:
        row = next(row for row in WRITERS if row.name == name)
        data = write(row, [a_result(np.array([np.nan, 2.0**60]))])

        def refuse(word: str) -> None:
            raise AssertionError(word)

        json.loads(data, parse_constant=refuse)

    def test_a_json_of_nothing_is_an_empty_array(self) -> None:
        row = next(row for row in WRITERS if row.name == "json")
        assert json.loads(write(row, [])) == []


class TestRanked:
    """Confidences: text names the largest, everything else holds all."""

    def results(self) -> list[Result]:
        ranking = Ranking(2, ("cat", "dog, hound", "cow"))
        values = np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]], "f4").reshape(2, 1, 1, 3)
        return [replace(a_result(values, "a.h5", "m", axes="NHWC"), ranking=ranking)]

    @texts
    def test_text_has_a_line_for_each_of_the_largest(self, row: Row) -> None:
        data = write(row, self.results())

        expected = [
            (0, 1, 1, "dog, hound", 0.5),
            (0, 2, 0, "cat", 0.25),
            (1, 1, 2, "cow", 0.7),
            (1, 2, 1, "dog, hound", 0.2),
        ]
        if row.name in OBJECTS:
            said = [
                (line["index"], *(one[key] for key in ("rank", "class", "label", "confidence")))
                for line in objects_of(row, data)
                for one in line["top"]
            ]
        else:
            header, *table = table_of(row, data)
            assert header[4:] == ["rank", "class", "label", "confidence"]
            said = [(int(r[2]), int(r[4]), int(r[5]), r[6], float(r[7])) for r in table]
        assert said == expected

    @texts
    def test_nan_is_never_among_them(self, row: Row) -> None:
        values = np.array([np.nan, 0.5, np.nan], "f4")
        data = write(row, [replace(a_result(values), ranking=Ranking(2))])
        if row.name in OBJECTS:
            top = [{"rank": 1, "class": 1, "confidence": 0.5}]
            assert objects_of(row, data)[0]["top"] == top
        else:
            assert [r[4:] for r in table_of(row, data)[1:]] == [["1", "1", "", "0.5"]]

    @every_writer
    def test_binary_holds_all(self, row: Row) -> None:
        if not row.text:
            got = READ_BACK[row.name](write(row, self.results()), "f4")
            assert_bits(np.array(got), self.results()[0].values.reshape(2, 3))


class TestRows:
    @every_writer
    def test_a_map_is_a_row(self, row: Row) -> None:
        values = [np.arange(4, dtype="f4") + i for i in range(3)]
        results = [a_result(one, f"{i}.npy") for i, one in enumerate(values)]
        style = WriteStyle(several_inputs=True, batched=True)

        got = READ_BACK[row.name](write(row, results, style), "f4")

        for one, expected in zip(got, values, strict=True):
            assert_bits(one, expected)

    @every_writer
    @pytest.mark.parametrize("axes", ["NHWC", "NC"])
    def test_a_batch_is_as_many_rows_as_it_has_maps(self, row: Row, axes: str) -> None:
        values = np.arange(12, dtype="f4").reshape((3,) + (1,) * (len(axes) - 2) + (4,))

        got = READ_BACK[row.name](write(row, [a_result(values, axes=axes)]), "f4")

        assert_bits(np.array(got), values.reshape(3, 4))

    @every_writer
    @pytest.mark.parametrize("stack", [False, True])
    def test_a_batch_in_pieces_is_the_batch_in_one(self, row: Row, stack: bool) -> None:
        values = np.arange(28, dtype="f4").reshape(7, 1, 1, 4)
        whole = a_result(values, axes="NHWC")
        pieces = [
            replace(whole, values=values[a:b], start=a, rows=7) for a, b in [(0, 3), (3, 6), (6, 7)]
        ]
        style = WriteStyle(stack=stack)

        assert write(row, pieces, style) == write(row, [whole], style)

    @texts
    def test_text_says_what_each_row_is(self, row: Row) -> None:
        values = np.arange(8, dtype="f4").reshape(2, 1, 1, 4)
        results = [
            a_result(values, "x/b.h5", "g/m", "avg", "NHWC"),
            a_result(values, "x/b.h5", "g/m", "max", "NHWC"),
        ]

        data = write(row, results)

        expected = [
            ("x/b.h5", "g/m", index, pooling) for pooling in ("avg", "max") for index in (0, 1)
        ]
        if row.name in OBJECTS:
            lines = objects_of(row, data)
            said = [(d["source"], d["dataset"], d["index"], d["pooling"]) for d in lines]
            assert lines[0]["input_shape"] == [7, 5, 4]
            assert lines[0]["layout"] == "NHWC"
        else:
            header, *table = table_of(row, data)
            said = [(r[0], r[1], int(r[2]), r[3]) for r in table]
            assert header == ["source", "dataset", "index", "pooling", "c0", "c1", "c2", "c3"]
        assert said == expected

    @every_writer
    def test_maps_of_any_size_stack(self, row: Row) -> None:
        values = np.arange(4, dtype="f4")
        results = [
            a_result(values, "a.npy", input_shape=(7, 7, 4)),
            a_result(values, "b.npy", input_shape=(9, 2, 4)),
        ]

        got = READ_BACK[row.name](write(row, results, WriteStyle(stack=True, batched=True)), "f4")

        assert_bits(np.array(got), np.array([values, values]))


class TestStack:
    def test_a_lone_map_is_1x1xd_and_a_batch_axis_is_put_before_it_when_asked(self) -> None:
        row = next(row for row in WRITERS if row.name == "npy")
        result = a_result(np.arange(4, dtype="f4"))
        shapes = [
            np.load(io.BytesIO(write(row, [result], WriteStyle(stack=True, batched=batched)))).shape
            for batched in (False, True)
        ]
        assert shapes == [(1, 1, 4), (1, 1, 1, 4)]

    def test_a_lone_batch_keeps_the_order_of_its_axes(self) -> None:
        """A lone C×H×W×N input, its axes kept: what is written is what was computed."""
        row = next(row for row in WRITERS if row.name == "npy")
        values = np.arange(6, dtype="f4").reshape(2, 1, 1, 3)
        result = a_result(values, axes="CHWN")

        data = write(row, [result], WriteStyle(stack=True))

        np.testing.assert_array_equal(np.load(io.BytesIO(data)), values)

    @containers
    def test_the_names_stand_beside(self, row: Row) -> None:
        results = [
            a_result(np.zeros((2, 1, 1, 3), "f4"), "x.npy", axes="NHWC"),
            a_result(np.ones(3, "f4"), "y/z.h5", "g/m"),
        ]

        data = write(row, results, WriteStyle(stack=True, batched=True))

        if row.name == "npz":
            with np.load(io.BytesIO(data)) as file:
                names, stacked = list(file["sources"]), file["avg"]
        else:
            with h5py.File(io.BytesIO(data)) as file:
                names, stacked = list(file["sources"].asstr()), file["avg"][()]
        assert names == ["x.npy", "x.npy", "y/z.h5:g/m"]
        assert stacked.shape == (3, 1, 1, 3)
        assert stacked[:, 0, 0, 0].tolist() == [0, 0, 1]

    @containers
    def test_an_array_per_pooling(self, row: Row) -> None:
        results = [
            a_result(np.full(3, value, "f4"), name, pooling=pooling)
            for value, name in enumerate(["x.npy", "y.npy"])
            for pooling in ("avg", "max")
        ]

        data = write(row, results, WriteStyle(stack=True, batched=True, several_poolings=True))

        if row.name == "npz":
            with np.load(io.BytesIO(data)) as file:
                shapes = {name: file[name].shape for name in file.files}
        else:
            with h5py.File(io.BytesIO(data)) as file:
                shapes = {name: file[name].shape for name in file}
        assert shapes == {"avg": (2, 1, 1, 3), "max": (2, 1, 1, 3), "sources": (2,)}

    @every_writer
    def test_another_d(self, row: Row) -> None:
        results = [
            a_result(np.zeros(3, "f4"), "first.npy", input_shape=(7, 7, 3)),
            a_result(np.zeros(5, "f4"), "second.npy", input_shape=(9, 8, 5)),
        ]
        style = WriteStyle(stack=True, batched=True)
        if row.name in OBJECTS:
            assert [len(one) for one in READ_BACK[row.name](write(row, results), "f4")] == [3, 5]
            return

        with pytest.raises(InputError) as caught:
            write(row, results, style)

        # The caller puts the second file's name in front of it.
        assert caught.value.message == (
            "gives rows of 1x1x5 (map 9x8x5), but first.npy gives 1x1x3 (map 7x7x3)"
        )
        assert caught.value.hint == (
            "one output array has one row shape: choose .h5, .npz, .jsonl or a directory"
        )

    @every_writer
    def test_a_refused_map_leaves_no_row(self, row: Row) -> None:
        file = io.BytesIO()
        writer = load_writer(row)(file, WriteStyle(stack=True, batched=True))
        writer.add(a_result(np.zeros(3, "f4"), "a.npy"))
        if row.name not in OBJECTS:
            with pytest.raises(InputError):
                writer.add(a_result(np.ones(5, "f4"), "b.npy"))
        writer.add(a_result(np.full(3, 2, "f4"), "c.npy"))
        writer.finish()

        got = READ_BACK[row.name](file.getvalue(), "f4")

        assert [one.tolist() for one in got] == [[0, 0, 0], [2, 2, 2]]

    @pytest.mark.parametrize(
        ("first", "second", "both"), [("f4", "f8", "f8"), ("u1", "i2", "i2"), ("i4", "f4", "f8")]
    )
    @pytest.mark.parametrize("row", [row for row in WRITERS if not row.text], ids=lambda r: r.name)
    def test_dtypes_are_promoted(self, row: Row, first: str, second: str, both: str) -> None:
        results = [
            a_result(np.array([1, 2], first), "a.npy"),
            a_result(np.array([3, 4], second), "b.npy"),
            a_result(np.array([5, 6], first), "c.npy"),
        ]

        got = READ_BACK[row.name](write(row, results, WriteStyle(stack=True, batched=True)), both)

        assert_bits(np.array(got), np.array([[1, 2], [3, 4], [5, 6]], both))


class TestTurns:
    """Pieces of several results of one map, in turns."""

    @pytest.mark.parametrize("stack", [False, True])
    @pytest.mark.parametrize("row", TAKING_TURNS, ids=lambda row: row.name)
    def test_the_results_are_those_of_one_after_the_other(self, row: Row, stack: bool) -> None:
        values = {"avg": np.arange(28, dtype="f4"), "max": -np.arange(28, dtype="f8")}
        wholes = [
            a_result(array.reshape(7, 1, 1, 4), dataset="m", pooling=pooling, axes="NHWC")
            for pooling, array in values.items()
        ]
        cuts = [(0, 3), (3, 6), (6, 7)]
        pieces = [
            replace(whole, values=whole.values[a:b], start=a, rows=7)
            for a, b in cuts
            for whole in wholes
        ]
        style = WriteStyle(stack=stack, several_poolings=True)

        assert arrays_in(row, write(row, pieces, style)) == arrays_in(
            row, write(row, wholes, style)
        )

    def test_containers_take_turns(self) -> None:
        assert [row.name for row in TAKING_TURNS] == ["npz", "h5"]


class TestContainers:
    @containers
    def test_any_mix_of_d(self, row: Row) -> None:
        results = [a_result(np.zeros(3, "f4"), "a.npy"), a_result(np.ones(5, "f8"), "b.npy")]

        got = READ_BACK[row.name](write(row, results, WriteStyle(several_inputs=True)), "")

        assert [(one.size, one.dtype.name) for one in got] == [(3, "float32"), (5, "float64")]

    @containers
    @pytest.mark.parametrize(
        ("style", "expected"),
        [
            (WriteStyle(), {"g/m"}),
            (WriteStyle(several_inputs=True), {"x/b/g/m"}),
            (WriteStyle(several_poolings=True), {"g/m.avg", "g/m.max"}),
        ],
    )
    def test_names(self, row: Row, style: WriteStyle, expected: set[str]) -> None:
        poolings = ("avg", "max") if style.several_poolings else ("avg",)
        results = [a_result(np.zeros(3, "f4"), "x/b.h5", "g/m", pooling) for pooling in poolings]
        assert set(names_in(row, write(row, results, style))) == expected

    @containers
    def test_one_name_twice_is_refused(self, row: Row) -> None:
        result = a_result(np.zeros(3, "f4"), "x.npz", "m")
        with pytest.raises(InputError, match=r"already there|second 'm\.npy'") as caught:
            write(row, [result, result])
        assert "directory" in caught.value.hint

    @containers
    def test_the_pieces_of_a_refused_result_are_refused_too(self, row: Row) -> None:
        first = a_result(np.zeros((2, 1, 1, 3), "f4"), "x.npz", "m", axes="NHWC")
        writer = load_writer(row)(io.BytesIO(), WriteStyle())
        writer.add(first)
        for start in (0, 2):
            with pytest.raises(InputError):
                writer.add(replace(first, start=start, rows=4))
        writer.finish()

    def test_a_dataset_below_a_dataset(self) -> None:
        """What npz takes (members ``a`` and ``a/b``) no HDF5 file can hold."""
        h5 = next(row for row in WRITERS if row.name == "h5")
        results = [a_result(np.zeros(3, "f4"), "x.npz", name) for name in ("a", "a/b")]
        with pytest.raises(InputError) as caught:
            write(h5, results)
        assert caught.value.message == "has no place as a/b in the output: a is already there"
        assert ".npz" in caught.value.hint

    def test_a_name_too_long_for_npz(self) -> None:
        npz = next(row for row in WRITERS if row.name == "npz")
        with pytest.raises(InputError) as caught:
            write(npz, [a_result(np.zeros(3, "f4"), "x.h5", "n" * 70_000)])
        assert caught.value.message == "has a name of 70000 bytes, too long for npz"
        assert ".h5" in caught.value.hint


def names_in(row: Row, data: bytes) -> list[str]:
    if row.name == "npz":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return [name.removesuffix(".npy") for name in file.namelist()]
    names: list[str] = []
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
    return names


class TestSameBytes:
    @every_writer
    @pytest.mark.parametrize("stack", [False, True])
    def test_at_another_time(self, row: Row, stack: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        results = [
            a_result(np.arange(1000, dtype="f4") + i, f"{i}.npy", pooling=pooling)
            for i in range(20)
            for pooling in ("avg", "max")
        ]
        style = WriteStyle(stack, True, "avg+max", several_poolings=True, several_inputs=True)
        if stack and row.name == "npy":
            results = results[::2]

        first = write(row, results, style)
        clutter = np.random.default_rng(1).bytes(1 << 22)  # other bytes in freed memory
        monkeypatch.setattr(time, "time", lambda: 2e9)
        monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2e9))
        second = write(row, results, style)

        assert len(clutter) == 1 << 22
        assert first == second

    # name → what a person may see of it in text

    @every_writer
    def test_beside_another_that_is_open(self, row: Row) -> None:
        """Several poolings into a directory are several outputs at a time."""
        style, result = WriteStyle(), a_result([1, 2], "a.npy")
        files = [io.BytesIO(), io.BytesIO()]
        writers = [load_writer(row)(file, style) for file in files]
        for step in ("begin", "add", "finish"):
            for writer in writers:
                arguments = {"begin": (result.file,), "add": (result,), "finish": ()}[step]
                getattr(writer, step)(*arguments)
        assert [file.getvalue() for file in files] == [write(row, [result], style)] * 2


HOSTILE = {
    "line\nbreak": "line\\nbreak",
    "esc\x1b[31m": "esc\\x1b[31m",
    "lone\udcff": "lone\\udcff",
    "bidi\u202e": "bidi\\u202e",
    "tab\tcomma,quote\"'": "tab\\tcomma,quote\"'",
    "ünï/木": "ünï/木",
    "[red]{0}%s": "[red]{0}%s",
    "n" * 3000: "n" * 3000,
    "..": "..",
    ".": ".",
    "../../up": "../../up",
    "/root": "/root",
    "a//b/": "a//b/",
    " ": " ",
    "=1+1": "=1+1",
}


class TestHostileNames:
    @every_writer
    @pytest.mark.parametrize("stack", [False, True])
    @pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:16])
    @pytest.mark.parametrize("where", ["file", "dataset"])
    def test_the_numbers_are_kept(self, row: Row, stack: bool, name: str, where: str) -> None:
        values = np.arange(3, dtype="f4")
        result = a_result(values, name) if where == "file" else a_result(values, "x.h5", name)

        data = write(row, [result], WriteStyle(stack=stack, several_inputs=where == "file"))

        (got,) = READ_BACK[row.name](data, "f4")
        assert_bits(got, values)

    @texts
    @pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:16])
    def test_text_shows_them_escaped(self, row: Row, name: str) -> None:
        data = write(row, [a_result(np.arange(3, dtype="f4"), name, name)])

        lines = {"jsonl": 1, "json": 3}.get(row.name, 2)
        assert data.decode("utf-8").count("\n") == lines
        if row.name in OBJECTS:
            (line,) = objects_of(row, data)
            said = [line["source"], line["dataset"]]
        else:
            said = table_of(row, data)[1][:2]
        assert said == [HOSTILE[name]] * 2

    @containers
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("..", "%2E%2E"),
            ("../../up", "%2E%2E/%2E%2E/up"),
            ("/etc/x", "etc/x"),
            ("a/./b", "a/%2E/b"),
            ("a//b/", "a/b"),
            ("lone\udcff", "lone\\udcff"),
            ("ünï/木", "ünï/木"),
            ("/", "%2F"),
        ],
    )
    def test_no_member_climbs(self, row: Row, name: str, expected: str) -> None:
        data = write(row, [a_result(np.arange(3, dtype="f4"), "x.h5", name)])

        assert names_in(row, data) == [expected]


class TestAbandon:
    @every_writer
    @pytest.mark.parametrize("stack", [False, True])
    def test_the_file_stays_open_for_its_owner(self, row: Row, stack: bool) -> None:
        file = io.BytesIO()
        writer = load_writer(row)(file, WriteStyle(stack=stack, batched=True))
        writer.begin(InputFile("a.npy", "a.npy"))
        writer.add(a_result(np.zeros(3, "f4")))
        writer.abandon()
        assert not file.closed

    @every_writer
    def test_half_way_through_a_batch(self, row: Row) -> None:
        result = replace(a_result(np.zeros((2, 1, 1, 3), "f4"), axes="NHWC"), rows=9)
        file = io.BytesIO()
        writer = load_writer(row)(file, WriteStyle())
        writer.add(result)
        writer.abandon()
        assert not file.closed


def test_every_format_is_tested() -> None:
    assert set(READ_BACK) == {row.name for row in WRITERS}
