"""npy in files and on a pipe."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats import npy
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.npy import NpyReader, NpyWriter
from gpool_cli.model import Result

LIST_AND_SUM = """
import sys
from gpool_cli.errors import GpoolError
from gpool_cli.formats import npy
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.npy import NpyReader, NpyWriter
try:
    with NpyReader("-") as reader:
        for number, info in enumerate(reader.arrays()):
            skip = number == SKIPPED
            total = None if skip else sum(float(v.sum()) for _, v in reader.blocks(info))
            print(info.dataset, info.shape, info.dtype, total)
except GpoolError as error:
    sys.exit(str(error))
"""


def saved(*arrays: object) -> bytes:
    file = io.BytesIO()
    for array in arrays:
        np.save(file, np.asarray(array))
    return file.getvalue()


def through_pipe(data: bytes, skipped: int = -1) -> subprocess.CompletedProcess[str]:
    """Read from a real pipe, in another process."""
    program = LIST_AND_SUM.replace("SKIPPED", str(skipped))
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def read_all(path: Path) -> list[float]:
    with NpyReader(str(path)) as reader:
        return [
            sum(float(values.sum()) for _, values in reader.blocks(info))
            for info in reader.arrays()
        ]


def refusal(path: Path, data: bytes) -> InputError:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_all(path)
    return caught.value


class TestFile:
    def test_several_arrays_are_numbered(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        path.write_bytes(saved(np.ones((2, 3)), np.ones((4, 5, 6), "f2"), np.ones(7, ">i2")))
        with NpyReader(str(path)) as reader:
            infos = list(reader.arrays())
        assert [info.dataset for info in infos] == ["", "1", "2"]
        assert [info.shape for info in infos] == [(2, 3), (4, 5, 6), (7,)]
        assert read_all(path) == [6, 120, 7]

    def test_cut_short_by_a_byte(self, tmp_path: Path) -> None:
        error = refusal(tmp_path / "a.npy", saved(np.ones((2, 3, 4), "f4"))[:-1])
        assert error.message == "is truncated: 2x3x4 float32 takes 96 bytes, 95 are there"
        assert error.hint == "copy or save the file again"

    def test_a_header_that_asks_for_more_than_the_file_has(self, tmp_path: Path) -> None:
        data = saved(np.ones((2, 3, 4), "f4")).replace(b"(2, 3, 4), }   ", b"(2, 3, 4000000)")
        error = refusal(tmp_path / "a.npy", data.replace(b"4000000) ", b"4000000)}"))
        assert "is truncated: 2x3x4000000 float32 takes 96000000 bytes" in error.message

    def test_the_second_array_is_cut_short(self, tmp_path: Path) -> None:
        error = refusal(tmp_path / "a.npy", saved(np.ones((2, 3)), np.ones((2, 3)))[:-8])
        assert "is truncated" in error.message

    @pytest.mark.parametrize(
        ("good", "message"),
        [(1, "is good for 1 array, then is no npy file"), (2, "is good for 2 arrays, then is no")],
    )
    def test_something_else_behind_the_arrays(
        self, good: int, message: str, tmp_path: Path
    ) -> None:
        data = saved(*[np.ones((2, 3, 4))] * good) + b"\x1bgarbage"
        error = refusal(tmp_path / "a.npy", data)
        assert error.message.startswith(message)
        assert error.hint == "it starts with \\x1bgarbage"

    def test_an_object_array_is_listed_and_never_unpickled(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.array([{}, []], object), allow_pickle=True)
        with NpyReader(str(path)) as reader:
            (info,) = reader.arrays()
        assert info.refusal == "holds objects"

    def test_the_file_shrinks_while_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        path.write_bytes(saved(np.ones((2, 3, 4), "f8")))
        with NpyReader(str(path)) as reader:
            (info,) = reader.arrays()
            path.write_bytes(path.read_bytes()[:-10])
            with pytest.raises(InputError, match="ends 10 bytes short inside its values"):
                list(reader.blocks(info))


class TestPipe:
    def test_several_arrays(self) -> None:
        done = through_pipe(
            saved(np.ones((3, 4)), np.ones((500, 601), "f4"), np.ones((2, 1), "u1"))
        )
        assert done.stdout.splitlines() == [
            " (3, 4) float64 12.0",
            "1 (500, 601) float32 300500.0",
            "2 (2, 1) uint8 2.0",
        ]
        assert done.returncode == 0

    def test_an_array_that_nobody_reads_is_passed_over(self) -> None:
        done = through_pipe(saved(np.ones((700, 700)), np.ones((2, 3))), skipped=0)
        assert done.stdout.splitlines() == [" (700, 700) float64 None", "1 (2, 3) float64 6.0"]

    def test_fortran_order(self) -> None:
        done = through_pipe(saved(np.asfortranarray(np.ones((3, 4)))))
        assert done.stdout == " (3, 4) float64 12.0\n"

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "is empty (there is no array in it)"),
            (b"x", "is no npy file (it starts with x)"),
            (saved(np.ones((3, 4)))[:50], "is truncated inside its npy header"),
            (saved(np.ones((3, 4)))[:-5], "ends 5 bytes short inside its values"),
            (saved(np.ones(4), np.ones(4))[:-5], "ends 5 bytes short inside its values"),
        ],
        ids=["nothing", "junk", "header", "values", "second"],
    )
    def test_short(self, data: bytes, message: str) -> None:
        done = through_pipe(data)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_ends_inside_an_array_that_nobody_reads(self) -> None:
        done = through_pipe(saved(np.ones((700, 700)))[:-1], skipped=0)
        assert done.stderr == ("ends inside an array (was the program before it interrupted?)\n")


class TestRowsInPlace:
    """Stacked rows stand where they belong as they come, behind a header that is written last."""

    def stacked(self, results: list[Result], batched: bool = True) -> bytes:
        file = io.BytesIO()
        writer = NpyWriter(file, WriteStyle(stack=True, batched=batched))
        for result in results:
            writer.add(result)
        writer.finish()
        return file.getvalue()

    def test_they_are_in_the_file_before_it_is_finished(self, make_result) -> None:
        file = io.BytesIO()
        NpyWriter(file, WriteStyle(stack=True)).add(make_result([1, 2, 3]))
        assert file.getvalue()[128:] == np.array([1, 2, 3], "f4").tobytes()

    def test_a_header_of_another_length_moves_them(
        self, make_result, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        results = [make_result([1, 2, 3]), make_result([4, 5, 6])]
        usual = self.stacked(results)
        for length in (64, 192):
            monkeypatch.setattr(npy, "USUAL_HEADER", length)
            assert self.stacked(results) == usual
        assert usual == saved(np.arange(1, 7, dtype="f4").reshape(2, 1, 1, 3))

    def test_a_batch_axis_that_is_not_the_first_stays_where_it_is(self, make_result) -> None:
        values = np.arange(6, dtype="f4").reshape(2, 1, 3)
        assert self.stacked([make_result(values, axes="CLN")], batched=False) == saved(values)

    def test_a_wider_dtype_after_rows_were_taken_back(self, make_result) -> None:
        first, second = make_result([1, 2]), make_result([3, 4])
        wide = replace(second, values=second.values.astype("f8"))
        file = io.BytesIO()
        writer = NpyWriter(file, WriteStyle(stack=True, batched=True))
        for result in (first, second):
            writer.add(result)
        writer.withdraw()
        writer.add(wide)
        writer.finish()
        assert file.getvalue() == saved(np.arange(1, 5, dtype="f8").reshape(2, 1, 1, 2))
