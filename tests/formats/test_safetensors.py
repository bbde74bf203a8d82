"""safetensors: what its library writes is read; what lies in a header is not believed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats.safetensors import SafetensorsReader
from tests.making.safetensors import entry, with_header

VALUES = np.arange(24, dtype="f4").reshape(2, 3, 4)


def read(path: Path) -> dict[str, Any]:
    with SafetensorsReader(str(path)) as reader:
        return {
            info.dataset: np.concatenate([v.ravel() for _, v in reader.blocks(info)])
            for info in list(reader.arrays())
            if not info.refusal
        }


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.hint
    return caught.value.message


def test_what_the_library_writes(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    arrays = {"layer.1": VALUES, "b": VALUES.astype("i8"), "c": VALUES > 3, "e": VALUES[:0]}
    library.save_file(arrays, tmp_path / "a.safetensors", {"note": "some"})
    got = read(tmp_path / "a.safetensors")
    assert set(got) == set(arrays) - {"e"} | {"e"}
    for name in ("layer.1", "b", "c"):
        assert got[name].tolist() == arrays[name].ravel().tolist()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_narrow_floats_of_the_library(name: str, tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    dtypes = pytest.importorskip("ml_dtypes")
    narrow = (VALUES / 7).astype(getattr(dtypes, name))
    library.save_file({"a": narrow}, tmp_path / "a.safetensors")
    got = read(tmp_path / "a.safetensors")["a"]
    assert got.dtype == np.float32
    assert got.tolist() == narrow.astype("f4").ravel().tolist()


def test_a_type_that_is_not_known_is_skipped_alone(tmp_path: Path) -> None:
    header = {"a": entry("F4", (8,), 0, 4), "b": entry("U8", (2, 2), 4, 4)}
    (tmp_path / "a").write_bytes(with_header(header, bytes(8)))
    with SafetensorsReader(str(tmp_path / "a")) as reader:
        first, second = reader.arrays()
    assert (first.refusal, second.refusal) == ("is of the type F4, which gpool can't read", "")
    assert not first.broken


VAST = 1 << 62
HEADERS: dict[str, tuple[Any, int, str]] = {
    "overlap": ({"a": entry("U8", (4,), 0, 4), "b": entry("U8", (4,), 2, 4)}, 6, "'b' does not"),
    "gap": ({"a": entry("U8", (4,), 2, 4)}, 6, "'a' does not begin"),
    "beyond the file": ({"a": entry("U8", (40,), 0, 40)}, 4, "is truncated: its tensors take 40"),
    "behind": ({"a": entry("U8", (4,), 0, 4)}, 6, "has 2 bytes behind"),
    "another size": ({"a": entry("F32", (4,), 0, 4)}, 4, "its shape asks for others"),
    "vast": ({"a": entry("F32", (VAST, VAST), 0, 4)}, 4, "its shape asks for others"),
    "negative": ({"a": entry("F32", (-1,), 0, 4)}, 4, "no list of sizes"),
    "backwards": ({"a": {**entry("U8", (0,), 0, 0), "data_offsets": [4, 0]}}, 4, "impossible"),
    "fraction": ({"a": entry("F32", (1.0,), 0, 4)}, 4, "no list of sizes"),  # type: ignore[arg-type]
    "truth": ({"a": entry("F32", (True,), 0, 4)}, 4, "no list of sizes"),
    "many axes": ({"a": entry("U8", (1,) * 99, 0, 1)}, 1, "impossible shape"),
    "keys": ({"a": {"dtype": "F32"}}, 0, "has not the three keys"),
    "a list": ([1], 0, "is no safetensors file"),
    "no tensor": ({"__metadata__": {"a": "b"}}, 0, "holds no arrays"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_headers_that_lie(kind: str, tmp_path: Path) -> None:
    header, size, said = HEADERS[kind]
    assert said in refusal(tmp_path / "a", with_header(header, bytes(size)))


def test_two_tensors_of_one_name(tmp_path: Path) -> None:
    one = b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    raw = b"{" + one + b"," + one + b"}"
    data = len(raw).to_bytes(8, "little") + raw + b"x"
    assert "two entries of one name" in refusal(tmp_path / "a", data)


def test_deep_json_and_no_json(tmp_path: Path) -> None:
    for raw in (b'{"a":' * 100_000, b'{"a":' + b"[" * 100_000, b"{" + b"9" * 5000):
        data = len(raw).to_bytes(8, "little") + raw
        assert "no JSON" in refusal(tmp_path / "a", data)


def test_a_header_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.write((1 << 30).to_bytes(8, "little") + b"{")
        file.truncate((1 << 30) + 8)
    with pytest.raises(InputError, match="header of 1073741824 bytes"):
        SafetensorsReader(str(path))


MANY = {
    "tensors": b'{"a":' + b'{"":{}},' * 110_000,
    "lists": b'{"a":[' + b"[]," * 210_000,
    "texts": b"{" + b'"":"",' * 510_000,
    "numbers": b'{"a":[' + b"9," * 2_100_000,
}


@pytest.mark.parametrize("kind", MANY)
def test_a_header_of_too_many_values_is_not_read(kind: str, tmp_path: Path) -> None:
    data = len(MANY[kind]).to_bytes(8, "little") + MANY[kind]
    assert refusal(tmp_path / "a", data) == "describes too many tensors"
