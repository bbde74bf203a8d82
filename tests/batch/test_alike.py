"""Small files that go together: what comes of each is what comes of it alone, bit for bit."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpool_cli.batch import alike
from gpool_cli.batch.alike import pool_together
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.work import pool_file
from gpool_cli.cli.main import run
from gpool_cli.formats import npyalike
from gpool_cli.model import Alike, InputFile, Outcome, Result, Task
from gpool_cli.poolings import kernels
from gpool_cli.recipe import NAN_POLICIES, PoolingSpec, Recipe

POOLINGS = (PoolingSpec("avg"), PoolingSpec("max"))
DTYPES = ("f2", "f4", ">f4", "f8", "?", "u1", "i1", "u2", ">i2", "u4", "i4", "u8", "i8")
# shape and layout: channels last and first, one channel, one position, axes of length 1, few and
# many positions, a kept axis between pooled ones, rows longer than numpy's buffer.
SHAPES = (
    ((7, 7, 16), "HWC"),
    ((1, 1, 5), "HWC"),
    ((3, 3, 1), "HWC"),
    ((1, 9, 2), "HWC"),
    ((40, 3, 4), "HWC"),
    ((5, 7, 7), "CHW"),
    ((1, 3, 3), "CHW"),
    ((64, 8, 16), "CHW"),
    ((2, 3, 2), "CHW"),
    ((1, 100, 100), "CHW"),
    ((3, 91, 91), "CHW"),
    ((6, 4, 9), "HCW"),
    ((4, 4), "HW"),
    ((32, 32), "HW"),
    ((8, 8), "HW"),
    ((30, 8), "LC"),
    ((8, 30), "CL"),
    ((2, 3, 4, 5), "DHWC"),
)


def values_of(rng: np.random.Generator, shape: Sequence[int], dtype: str) -> np.ndarray:
    """Integers of every size, and floats whose sums are what rounding leaves of them."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(kind)
    if kind.kind != "f":
        about = np.iinfo(kind)
        whole = rng.integers(about.min, about.max, shape, kind.newbyteorder("="), endpoint=True)
        return whole.astype(kind)
    reach = 6 if kind.itemsize == 2 else 20
    values = rng.normal(size=shape) * 2.0 ** rng.integers(-reach, reach, shape)
    flat = values.reshape(-1)
    flat[flat.size - flat.size // 2 :] = -flat[: flat.size // 2]
    return values.astype(kind)


def specials(values: np.ndarray, number: int) -> np.ndarray:
    """The values of a file, with NaN, infinities, zeros or the largest number in some of them."""
    if values.dtype.kind == "f":
        flat = values.reshape(-1)
        odd = (np.nan, np.inf, -np.inf, -0.0, np.finfo(values.dtype).max, -np.nan, np.inf)
        for place in range(min(number % 4, flat.size)):
            flat[(place * 7919) % flat.size] = odd[(number + place) % len(odd)]
    return values


def save_all(root: Path, arrays: Iterable[np.ndarray]) -> list[Path]:
    root.mkdir(exist_ok=True)
    paths = []
    for i, array in enumerate(arrays):
        paths.append(root / f"m{i:03}.npy")
        np.save(paths[-1], array)
    return paths


def tasks_of(paths: Iterable[Path], recipe: Recipe, strict: bool = False) -> list[Task]:
    return [Task(InputFile(str(path), path.name, False), recipe, strict) for path in paths]


def alone(tasks: Iterable[Task]) -> list[tuple[object, ...]]:
    return [told(outcome) for task in tasks for outcome in pool_file(task)]


def together(tasks: Iterable[Task]) -> list[tuple[object, ...]]:
    return [told(outcome) for outcome in one_after_the_other(tasks)]


def one_after_the_other(tasks: Iterable[Task]) -> Iterator[Outcome]:
    for outcome in outcomes_of(tasks, Work(), lambda share: None):
        yield from outcome.outcomes() if isinstance(outcome, Alike) else (outcome,)


def told(outcome: Outcome) -> tuple[object, ...]:
    """Everything an outcome says, the values by their bytes."""
    if not isinstance(outcome, Result):
        return (outcome,)
    fields = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
    values = fields.pop("values")
    assert values.flags.c_contiguous
    return (*fields.items(), values.dtype.str, values.shape, values.tobytes())


def counts(tasks: Sequence[Task]) -> list[int]:
    """How many files went together in each answer; 0 for what went the ordinary way."""
    return [o.count if isinstance(o, Alike) else 0 for o in pool_together(tasks, 1 << 30)]


@pytest.mark.parametrize(
    ("dtype", "nan"),
    [(d, n) for d in DTYPES for n in NAN_POLICIES if n == "propagate" or np.dtype(d).kind == "f"],
)
@pytest.mark.parametrize(("shape", "layout"), SHAPES, ids=[f"{s}{a}" for s, a in SHAPES])
def test_files_that_go_together_have_the_bits_they_have_alone(
    tmp_path: Path, dtype: str, shape: tuple[int, ...], layout: str, nan: str
) -> None:
    rng = np.random.default_rng(len(shape) + 7 * np.prod(shape))
    kind = np.dtype(dtype).kind
    plain = [values_of(rng, shape, dtype) for _ in range(9)]
    paths = save_all(tmp_path, [*plain[:5], *(specials(p, i) for i, p in enumerate(plain[5:], 1))])
    for target in (None, "float64") if kind == "f" else (None,):
        recipe = Recipe(POOLINGS, layout, nan, target, batched=True)  # type: ignore[arg-type]
        tasks = tasks_of(paths, recipe)
        assert together(tasks) == alone(tasks)
        assert sum(counts(tasks[:5])) == 5


@pytest.mark.parametrize(
    ("dtype", "target", "cells"),
    [("f8", None, 3), ("f4", "float64", 3), ("f4", None, 18), ("i8", None, 18), ("f2", None, 18)],
)
def test_a_kernel_that_looks_beside_a_cell_is_given_file_by_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    target: str | None,
    cells: int,
) -> None:
    given = []
    sums = kernels.sums

    def spy(values: np.ndarray, exact: bool) -> kernels.Sums:
        given.append(len(values))
        return sums(values, exact)

    monkeypatch.setattr(kernels, "sums", spy)
    paths = save_all(tmp_path, (np.ones((3, 5, 5), dtype) for _ in range(6)))
    recipe = Recipe(POOLINGS, "CHW", dtype=target, batched=True)
    assert counts(tasks_of(paths, recipe)) == [6]
    assert set(given) == {cells}


@pytest.mark.parametrize("style", ["channels-last", "keepdims", "flat"])
@pytest.mark.parametrize("layout", ["HWC", "CHW", None])
def test_every_output_shape(tmp_path: Path, style: str, layout: str | None) -> None:
    rng = np.random.default_rng(3)
    paths = save_all(tmp_path, (rng.random((4, 5, 6), np.float32) for _ in range(6)))
    recipe = Recipe(POOLINGS, layout, shape=style, batched=True)  # type: ignore[arg-type]
    tasks = tasks_of(paths, recipe)
    assert together(tasks) == alone(tasks)
    assert counts(tasks) == [6]


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(DTYPES),
    shape=st.lists(st.integers(1, 12), min_size=2, max_size=4).map(tuple),
    letters=st.permutations("CHWDL"),
    channels=st.booleans(),
    nan=st.sampled_from(["propagate", "omit", "error"]),
    target=st.sampled_from([None, "float64", "float32", "int8"]),
    files=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_any_files_have_the_bits_they_have_alone(
    tmp_path_factory: pytest.TempPathFactory,
    dtype: str,
    shape: tuple[int, ...],
    letters: Sequence[str],
    channels: bool,
    nan: str,
    target: str | None,
    files: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    layout = "".join(letter for letter in letters if channels or letter != "C")[: len(shape)]
    arrays = (specials(values_of(rng, shape, dtype), seed + i) for i in range(files))
    paths = save_all(tmp_path_factory.mktemp("any"), arrays)
    recipe = Recipe(POOLINGS, layout, nan, target, batched=True)  # type: ignore[arg-type]
    tasks = tasks_of(paths, recipe)
    assert together(tasks) == alone(tasks)


def damaged(root: Path) -> list[Path]:
    """Files of one shape, and between them everything that is not like the others."""
    rng = np.random.default_rng(5)
    paths = save_all(root, (rng.random((5, 6, 7), np.float32) for _ in range(30)))
    whole = paths[0].read_bytes()
    paths[3].write_bytes(whole[:-4])  # truncated
    paths[5].write_bytes(whole + b"more")
    paths[6].write_bytes(whole * 2)  # two arrays
    paths[7].write_bytes(b"")
    paths[9].write_bytes(whole[:40])
    paths[10].write_bytes(b"x" * len(whole))  # the size of the others
    paths[12].write_bytes(whole.replace(b"(5, 6, 7)", b"(5, 7, 6)"))  # the same size too
    np.save(paths[13], np.asfortranarray(rng.random((5, 6, 7), np.float32)))
    np.save(paths[15], np.zeros((0, 6, 7), np.float32))
    np.save(paths[16], np.array(["a", "b"]))
    np.save(paths[17], rng.random((2, 5, 6, 7), np.float32))
    np.save(paths[18], np.full((5, 6, 7), np.nan, np.float32))
    np.save(paths[20], rng.random((5, 6, 7)))
    paths[21].unlink()
    paths[22].unlink()
    paths[22].mkdir()
    paths[23].unlink()
    os.mkfifo(paths[23])
    np.save(paths[25], rng.random((500, 600, 7), np.float32))
    np.save(paths[26], rng.random((6, 7), np.float32))
    np.savez(root / "n", a=np.ones((5, 6, 7)))
    (root / "n.npz").rename(paths[27])
    return paths


@pytest.mark.parametrize("nan", ["propagate", "omit", "error"])
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_wrong_with_a_file_is_its_own(tmp_path: Path, nan: str, strict: bool) -> None:
    recipe = Recipe(POOLINGS, None, nan, batched=True)  # type: ignore[arg-type]
    tasks = tasks_of(damaged(tmp_path), recipe, strict)
    assert together(tasks) == alone(tasks)
    assert {"Failed", "Result"} < {type(outcome).__name__ for outcome in one_after_the_other(tasks)}


@pytest.mark.parametrize("strict", [False, True])
def test_a_doubtful_layout_is_said_of_every_file(tmp_path: Path, strict: bool) -> None:
    paths = save_all(tmp_path, (np.ones((64, 7, 7), np.float32) for _ in range(5)))
    tasks = tasks_of(paths, Recipe(POOLINGS, batched=True), strict)
    assert together(tasks) == alone(tasks)
    said = [type(outcome).__name__ for outcome in one_after_the_other(tasks)]
    assert said.count("Failed" if strict else "Warned") == 5


def test_a_result_that_does_not_fit_costs_its_own_file(tmp_path: Path) -> None:
    arrays = [np.full((2, 3, 4), 300.0 if i == 3 else i, np.float32) for i in range(8)]
    tasks = tasks_of(save_all(tmp_path, arrays), Recipe(POOLINGS, dtype="uint8", batched=True))
    assert together(tasks) == alone(tasks)
    assert [t[0].file.name for t in together(tasks) if "Failed" in repr(t[0])] == ["m003.npy"]


def test_a_link_is_read_and_keys_are_for_containers(tmp_path: Path) -> None:
    paths = save_all(tmp_path, (np.full((2, 3, 4), i, np.float32) for i in range(3)))
    (tmp_path / "link.npy").symlink_to(paths[0])
    recipe = Recipe(POOLINGS, batched=True)
    file = InputFile(str(tmp_path / "link.npy"), "link.npy", True, ("nothing",))
    tasks = [*tasks_of(paths, recipe), Task(file, recipe)]
    assert together(tasks) == alone(tasks)
    assert counts(tasks) == [4]


def test_no_name_of_a_file_ends_a_run(tmp_path: Path) -> None:
    recipe = Recipe(POOLINGS, batched=True)
    paths = save_all(tmp_path, [np.ones((2, 3, 4), np.float32)])
    odd = [Task(InputFile(name, "odd.npy"), recipe) for name in ("", "é" * 300, "no/such.npy")]
    tasks = [*tasks_of(paths, recipe), *odd, *tasks_of(paths, recipe)]
    assert together(tasks) == alone(tasks)


def test_a_file_that_changes_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = save_all(tmp_path, (np.full((2, 3, 4), i, np.float32) for i in range(4)))
    read = npyalike._read_values

    def cut_short(path: str, header: bytearray, values: memoryview) -> bool:
        if path == str(paths[2]):
            os.truncate(path, 150)
        return read(path, header, values)

    monkeypatch.setattr(npyalike, "_read_values", cut_short)
    tasks = tasks_of(paths, Recipe(POOLINGS, batched=True))
    said = together(tasks)
    assert said == alone(tasks)
    assert sum("Failed" in repr(words[0]) for words in said) == 1


def test_many_files_take_no_more_memory_than_a_block(tmp_path: Path) -> None:
    files = npyalike.AlikeFiles()
    paths = save_all(tmp_path, (np.full((64, 64, 32), i, np.float32) for i in range(9)))
    pattern = npyalike.pattern_of(str(paths[0]))
    assert pattern is not None
    assert [len(files.read(map(str, paths[i:]), pattern)) for i in (0, 4, 8)] == [4, 4, 1]


Written = list[tuple[str, bytes]]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Written]:
    """Everything that a run writes and prints, but for how long it took."""
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    monkeypatch.setattr("gpool_cli.batch.units._TOGETHER_FILES", 8)

    def do(name: str, arguments: Sequence[str], output: str, jobs: int) -> Written:
        place = tmp_path / name
        place.mkdir()
        monkeypatch.chdir(place)
        words = [*arguments, "-j", str(jobs), *(["-o", output] if output else [])]
        code = run(["pool", "-m", "avg", "-m", "max", "../maps", *words, "--report", "r.json"])
        report = json.loads((place / "r.json").read_text())
        del report["totals"]["seconds"]
        (place / "r.json").write_text(json.dumps([code, report]))
        files = sorted(path for path in place.rglob("*") if path.is_file())
        return [(str(path.relative_to(place)), path.read_bytes()) for path in files]

    return do


@pytest.mark.parametrize("files", [6, 15, 45])
@pytest.mark.parametrize("output", ["o.npy", ""])
def test_a_long_table_shows_what_it_does_file_by_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    files: int,
    output: str,
) -> None:
    maps = (np.full((64, 7, 7), i, np.float32) for i in range(files))
    save_all(tmp_path / "maps", maps)
    np.save(tmp_path / "maps/a.npy", np.ones((2, 3, 7), np.float32))
    monkeypatch.chdir(tmp_path)
    arguments = ["pool", "-m", "avg", "-m", "max", "maps", *(["-o", output] if output else [])]
    printed = []
    for look in (alike.pattern_of, lambda path: None):
        monkeypatch.setattr(alike, "pattern_of", look)
        assert run([*arguments, "--overwrite"]) == 0
        printed.append(tuple(map(without_times, capfdbinary.readouterr())))
    assert printed[0] == printed[1]


OUTPUTS = ("o.npy", "o.csv", "o.tsv", "o.jsonl", "o.h5", "o.npz", "out/", "", "-")
OPTIONS = (
    ("--nan", "omit"),
    ("--nan", "error"),
    ("--strict",),
    ("--shape", "flat"),
    ("--dtype", "float16"),
    ("--layout", "CHW"),
)


@pytest.mark.parametrize(
    ("output", "options"),
    [
        *((output, ()) for output in OUTPUTS),
        *((output, ("--stack",)) for output in ("o.h5", "o.npz", "-")),
        *((output, options) for output in ("o.npy", "") for options in OPTIONS),
        *(
            # What an option does comes before any format.
            pytest.param(output, options, marks=pytest.mark.slow)
            for output in ("o.jsonl", "out/")
            for options in OPTIONS
        ),
    ],
    ids=lambda words: words if isinstance(words, str) else " ".join(words),
)
def test_a_run_writes_and_says_what_it_does_file_by_file(
    tmp_path: Path,
    written: Callable[..., Written],
    output: str,
    options: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    damaged(tmp_path / "maps")
    found = []
    for jobs in (1, 3):
        files = written(f"jobs{jobs}", options, output, jobs)
        found.append((files, *map(without_times, capfdbinary.readouterr())))
    monkeypatch.setattr(alike, "pattern_of", lambda path: None)
    files = written("alone", options, output, 1)
    expected = (files, *map(without_times, capfdbinary.readouterr()))
    for each in found:
        assert each == expected


def without_times(printed: bytes) -> bytes:
    """What was printed, but for how long it took."""
    return re.sub(rb" \xc2\xb7 [\d.e+-]+ (ms|s|[kM]B/s|B/s)(?= |\n)", b"", printed)
