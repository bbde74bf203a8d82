"""Parquet: two readers that share no code with its writer see what was pooled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpool_cli.batch.destination import parse_destination
from gpool_cli.cli.main import run
from gpool_cli.errors import UsageError
from gpool_cli.formats import extras

COLUMNS = ["source", "dataset", "index", "pooling", "shape", "vector"]


def pooled(tmp_path: Path, *words: str, **arrays: Any) -> Path:
    np.savez(tmp_path / "maps.npz", **arrays)
    out = tmp_path / "out.parquet"
    command = ["pool", "-m", "avg", "-m", "max", str(tmp_path / "maps.npz"), "-o", str(out)]
    assert run([*command, "-q", *words]) == 0
    return out


def expected(arrays: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = []
    for name, array in arrays.items():
        for pooling, pool in (("avg", np.mean), ("max", np.max)):
            for index, one in enumerate(array):
                vector = pool(one.astype("f8"), axis=(0, 1)).astype("f4").tolist()
                rows.append(("maps.npz", name, index, pooling, list(array.shape), vector))
    return rows


@pytest.fixture
def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "a": rng.random((3, 4, 5, 6), np.float32),
        "b": rng.integers(0, 9, (2, 7, 1, 6)).astype("u1"),
    }


def test_duckdb_reads_it(tmp_path: Path, arrays: dict[str, Any]) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = pooled(tmp_path, **arrays)
    with duckdb.connect() as connection:
        table = connection.execute("select * from read_parquet(?)", [str(path)])
        assert [column[0] for column in table.description] == COLUMNS
        assert [(*row[:5], list(row[5])) for row in table.fetchall()] == expected(arrays)


def test_polars_reads_it(tmp_path: Path, arrays: dict[str, Any]) -> None:
    polars = pytest.importorskip("polars")
    table = polars.read_parquet(pooled(tmp_path, **arrays))
    assert table.columns == COLUMNS
    assert table.schema["vector"] == polars.Array(polars.Float32, 6)
    rows = [(*row[:4], list(row[4]), list(row[5])) for row in table.rows()]
    assert rows == expected(arrays)


def test_it_is_compressed_and_the_same_for_any_number_of_jobs(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = pooled(tmp_path, "--jobs", "1", **arrays)
    first = path.read_bytes()
    assert parquet.read_metadata(path).row_group(0).column(5).compression == "ZSTD"
    path.unlink()
    assert pooled(tmp_path, "--jobs", "2", **arrays).read_bytes() == first


def test_a_map_that_one_pooling_is_refused_for_has_no_row(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.random((3, 4, 5), np.float32))
    np.save(tmp_path / "b.npy", rng.integers(0, 9, (3, 4, 5)))
    out = tmp_path / "out.parquet"
    names = [str(tmp_path / "a.npy"), str(tmp_path / "b.npy")]
    assert run(["pool", "-m", "avg", "-m", "max", *names, "-o", str(out), "-q"]) == 1
    assert polars.read_parquet(out)["source"].to_list() == ["a.npy", "a.npy"]


def test_without_pyarrow_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as caught:
        parse_destination("out.parquet", None, False, ["avg"], False)
    assert caught.value.hint == "install it with: pip install 'gpool[parquet]'"
