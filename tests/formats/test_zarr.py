"""zarr: codecs and layouts of both versions; a store can't lead out of itself, run code or lie."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats.zarr import ZarrReader
from gpool_cli.formats.zarrstore import Store
from gpool_cli.model import ArrayInfo

VALUES = np.arange(2 * 5 * 4 * 3, dtype="<f4").reshape(2, 5, 4, 3)


def make_v2(path: Path, **changes: Any) -> Path:
    """A store that is one array, by hand: no codec, one chunk."""
    path.mkdir()
    said = {
        **{"zarr_format": 2, "shape": [2, 5, 4, 3], "chunks": [2, 5, 4, 3], "dtype": "<f4"},
        **{"compressor": None, "filters": None, "fill_value": 0, "order": "C", **changes},
    }
    (path / ".zarray").write_text(json.dumps(said))
    (path / "0.0.0.0").write_bytes(VALUES.tobytes())
    return path


def listed(path: Path) -> dict[str, ArrayInfo]:
    with ZarrReader(str(path)) as reader:
        return {info.dataset: info for info in reader.arrays()}


def values_of(path: Path, name: str = "") -> Any:
    with ZarrReader(str(path)) as reader:
        info = next(info for info in reader.arrays() if info.dataset == name)
        if info.refusal:
            raise InputError(info.refusal, "said of the array")
        whole = np.empty(info.shape, info.dtype)
        for block, values in reader.blocks(info):
            box = (slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))
            whole[tuple(box)] = values
        return whole


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        values_of(path)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("codec", ["GZip", "Zlib", "BZ2", "Zstd", "LZ4", "Blosc"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_codecs_of_version_2(codec: str, shuffled: bool, tmp_path: Path) -> None:
    numcodecs = pytest.importorskip("numcodecs")
    made, shuffle = getattr(numcodecs, codec)(), numcodecs.Shuffle(4)
    filters = [shuffle.get_config()] if shuffled else None
    path = make_v2(tmp_path / "a", compressor=made.get_config(), filters=filters)
    data = shuffle.encode(VALUES.tobytes()) if shuffled else VALUES.tobytes()
    (path / "0.0.0.0").write_bytes(made.encode(data))
    assert (values_of(path) == VALUES).all()


def test_transposed_and_checked_chunks_of_version_3(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr", minversion="3")
    array = zarr.create_array(
        tmp_path / "a",
        shape=VALUES.shape,
        chunks=(1, 2, 3, 2),
        dtype=">f4",
        filters=zarr.codecs.TransposeCodec(order=(3, 0, 2, 1)),
        serializer=zarr.codecs.BytesCodec(endian="big"),
        compressors=[zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()],
        dimension_names=["time", "lat", "lon", "band"],
    )
    array[...] = VALUES
    assert (values_of(tmp_path / "a") == VALUES).all()
    assert listed(tmp_path / "a")[""].file_layout == "NHWC"


def test_names_of_dimensions_as_xarray_writes_them(tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a")
    said = {"_ARRAY_DIMENSIONS": ["time", "channel", "y", "x"], "scale_factor": 0.1}
    (path / ".zattrs").write_text(json.dumps(said))
    info = listed(path)[""]
    assert info.file_layout == "NCHW"
    assert info.note == "pooled as stored: scale_factor not applied"


@pytest.mark.parametrize(("fill", "value"), [(7, 7), ("NaN", np.nan), ("-Infinity", -np.inf)])
def test_a_chunk_that_was_never_written_is_the_fill_value(
    fill: Any, value: float, tmp_path: Path
) -> None:
    path = make_v2(tmp_path / "a", fill_value=fill)
    (path / "0.0.0.0").unlink()
    np.testing.assert_array_equal(values_of(path), np.full(VALUES.shape, value, "f4"))


def test_bfloat16(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    path = make_v2(tmp_path / "a", dtype="bfloat16")
    (path / "0.0.0.0").write_bytes((VALUES.view("u4") >> 16).astype("<u2").tobytes())
    assert (values_of(path) == VALUES).all()


@pytest.mark.parametrize("name", ["pickle", "json2", "vlen-utf8", "os.system", "delta"])
def test_a_codec_that_may_run_code_is_not_looked_up(name: str, tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a", filters=[{"id": name}])
    assert f"uses the codec {name}" in listed(path)[""].refusal


class TestNothingOutsideTheStore:
    def test_a_chunk_that_is_a_link(self, tmp_path: Path) -> None:
        path = make_v2(tmp_path / "a")
        (path / "0.0.0.0").rename(tmp_path / "secret")
        (path / "0.0.0.0").symlink_to(tmp_path / "secret")
        assert refusal(path) == "leads out of the store by a link"

    def test_a_link_within_the_store(self, tmp_path: Path) -> None:
        path = make_v2(tmp_path / "a")
        (path / "0.0.0.0").rename(path / "elsewhere")
        (path / "0.0.0.0").symlink_to("elsewhere")
        assert (values_of(path) == VALUES).all()

    def test_metadata_that_are_a_link(self, tmp_path: Path) -> None:
        path = make_v2(tmp_path / "a")
        (path / ".zarray").rename(tmp_path / "secret")
        (path / ".zarray").symlink_to(tmp_path / "secret")
        assert refusal(path) == "leads out of the store by a link"

    def test_a_group_that_is_a_link(self, tmp_path: Path) -> None:
        make_v2(tmp_path / "other")
        group = tmp_path / "a"
        group.mkdir()
        (group / ".zgroup").write_text('{"zarr_format": 2}')
        (group / "b").symlink_to(tmp_path / "other")
        (group / "c").symlink_to(group)
        assert listed(group) == {}

    @pytest.mark.parametrize("separator", ["/../", "../", "", 3, None])
    def test_a_separator_that_climbs(self, separator: Any, tmp_path: Path) -> None:
        path = make_v2(tmp_path / "a", dimension_separator=separator)
        assert "which gpool does not know" in listed(path)[""].refusal

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
    def test_a_chunk_that_is_a_pipe(self, tmp_path: Path) -> None:
        path = make_v2(tmp_path / "a")
        (path / "0.0.0.0").unlink()
        os.mkfifo(path / "0.0.0.0")
        assert refusal(path) == "is not a regular file"


DAMAGE: dict[str, tuple[dict[str, Any], str]] = {
    "no shape": ({"shape": None}, "shape"),
    "negative": ({"shape": [-1, 5, 4, 3]}, "shape"),
    "chunks of 0": ({"chunks": [0, 5, 4, 3]}, "chunks"),
    "other rank": ({"chunks": [5, 4, 3]}, "chunks"),
    "fill": ({"fill_value": [1]}, "fill_value"),
    "fill too large": ({"fill_value": 10**400}, "fill_value"),
    "fill beyond float32": ({"fill_value": 1e300}, "fill_value"),
    "a fraction as fill of integers": ({"fill_value": 1.7, "dtype": "<i4"}, "fill_value"),
    "fill beyond uint8": ({"fill_value": 300, "dtype": "|u1"}, "fill_value"),
    "fill of bool": ({"fill_value": 7, "dtype": "|b1"}, "fill_value"),
    "filters": ({"filters": 3}, "filters"),
    "order": ({"order": "K"}, "the order K"),
    "objects": ({"dtype": "|O"}, "|O, which can't be pooled"),
    "dates": ({"dtype": "<M8[ns]"}, "<M8[ns], which can't be pooled"),
    "compound": ({"dtype": [["a", "<f4"]]}, "is compound"),
    "many axes": ({"shape": [1] * 40, "chunks": [1] * 40}, "shape"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_metadata(kind: str, tmp_path: Path) -> None:
    changes, said = DAMAGE[kind]
    assert said in listed(make_v2(tmp_path / "a", **changes))[""].refusal


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\xff", "nul"])
def test_metadata_that_are_no_json_object(text: str, tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a")
    (path / ".zarray").write_text(text, encoding="latin-1")
    assert refusal(path) == "is empty" or "no JSON object" in refusal(path)


@pytest.mark.parametrize("codec", ["gzip", "zlib", "bz2", "zstd", "lz4", "blosc"])
def test_a_chunk_that_swells(codec: str, tmp_path: Path) -> None:
    numcodecs = pytest.importorskip("numcodecs")
    made = numcodecs.get_codec({"id": codec})
    path = make_v2(tmp_path / "a", compressor={"id": codec})
    (path / "0.0.0.0").write_bytes(made.encode(bytes(1 << 24)))
    assert "damaged chunk" in refusal(path) or "more than its values take" in refusal(path)


def test_chunks_of_another_size(tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a")
    for size in (1, VALUES.nbytes - 1, VALUES.nbytes + 1):
        (path / "0.0.0.0").write_bytes(bytes(size))
        assert refusal(path) == f"has a chunk of {size} bytes, its shape asks for {VALUES.nbytes}"
    with (path / "0.0.0.0").open("wb") as file:
        file.truncate(1 << 40)
    assert "more than its values take" in refusal(path)


def test_what_was_never_written_is_not_read_for_hours(tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a", shape=[10**6, 10**6, 10**3], chunks=[1, 1, 1])
    info = listed(path)[""]
    assert info.broken
    assert "were ever written" in info.refusal


def sharded(path: Path) -> Path:
    zarr = pytest.importorskip("zarr", minversion="3")
    made = zarr.create_array(
        path, shape=VALUES.shape, dtype="f4", chunks=(1, 2, 2, 3), shards=(2, 6, 4, 3)
    )
    made[...] = VALUES
    return path


class TestShards:
    def test_the_index_is_checked(self, tmp_path: Path) -> None:
        path = sharded(tmp_path / "a")
        shard = path / "c/0/0/0/0"
        data = bytearray(shard.read_bytes())
        data[-10] ^= 1
        shard.write_bytes(data)
        assert "crc32c" in refusal(path)

    def test_places_beyond_the_file(self, tmp_path: Path) -> None:
        crc = pytest.importorskip("google_crc32c")
        path = sharded(tmp_path / "a")
        shard = path / "c/0/0/0/0"
        data = shard.read_bytes()
        index = np.frombuffer(data[-4 - 16 * 12 : -4], "<u8").copy()
        index[0] = (1 << 64) - 2
        raw = index.tobytes()
        shard.write_bytes(data[: -4 - 16 * 12] + raw + crc.value(raw).to_bytes(4, "little"))
        assert refusal(path) == "has a shard that is cut off"

    def test_a_shard_in_a_shard_is_refused(self, tmp_path: Path) -> None:
        path = sharded(tmp_path / "a")
        said = json.loads((path / "zarr.json").read_text())
        inner = said["codecs"][0]["configuration"]
        inner["codecs"] = [{"name": "sharding_indexed", "configuration": dict(inner)}]
        (path / "zarr.json").write_text(json.dumps(said))
        assert "uses the codec sharding_indexed" in listed(path)[""].refusal


@pytest.mark.parametrize(
    ("fill", "dtype"),
    [(0.1, "<f4"), (1.0, "<i4"), ("NaN", "<f4"), (1, "|b1")],
)
def test_fill_values_that_fit(fill: Any, dtype: str, tmp_path: Path) -> None:
    path = make_v2(tmp_path / "a", fill_value=fill, dtype=dtype)
    (path / "0.0.0.0").unlink()
    wanted = np.array(float(fill), dtype)
    np.testing.assert_array_equal(values_of(path), np.full(VALUES.shape, wanted))


def test_of_many_chunks_only_those_that_are_there_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_v2(tmp_path / "a", shape=[100, 100, 1, 1], chunks=[1, 1, 1, 1], fill_value=7)
    (path / "0.0.0.0").unlink()
    (path / "3.4.0.0").write_bytes(np.float32(5).tobytes())
    opened: list[str] = []
    plain = Store.open

    def noted(store: Store, key: str) -> Any:
        opened.append(key)
        return plain(store, key)

    monkeypatch.setattr(Store, "open", noted)
    values = values_of(path)
    assert values[3, 4] == 5
    assert values.sum() == 7 * 9999 + 5
    assert [key for key in opened if key[0].isdigit()] == ["3.4.0.0"]


def test_of_many_chunks_those_behind_a_link_are_refused(tmp_path: Path) -> None:
    changes = {"shape": [100, 100, 1, 1], "chunks": [1, 1, 1, 1], "dimension_separator": "/"}
    path = make_v2(tmp_path / "a", **changes)
    (tmp_path / "outside").mkdir()
    (path / "3").symlink_to(tmp_path / "outside")
    assert refusal(path) == "leads out of the store by a link"


@pytest.mark.parametrize("size", [100 << 30, 1 << 16, 0])
def test_a_zstd_frame_that_lies_asks_for_no_memory(size: int, tmp_path: Path) -> None:
    pytest.importorskip("numcodecs")
    path = make_v2(tmp_path / "a", compressor={"id": "zstd"})
    frame = b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little") + b"\x01\x00\x00"
    (path / "0.0.0.0").write_bytes(frame)
    said = refusal(path)
    assert "damaged chunk" in said or "has a chunk of 0 bytes" in said
    assert ("more values than there should be" in said) is (size > 1 << 20)
