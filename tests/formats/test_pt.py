"""PyTorch's .pt: read as a description; nothing in a file is run, called or imported."""

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats.pt import PtReader
from gpool_cli.model import ArrayInfo
from tests.making import pt

VALUES = np.arange(24, dtype="f4").reshape(2, 3, 4)
MEMORY = {"0": VALUES.tobytes()}
PLAIN = pt.tensor("0", "f4", (2, 3, 4), (12, 4, 1))


def listed(path: Path) -> dict[str, ArrayInfo]:
    with PtReader(str(path)) as reader:
        return {info.dataset: info for info in reader.arrays()}


def values_of(path: Path, name: str) -> list[float]:
    with PtReader(str(path)) as reader:
        info = next(info for info in reader.arrays() if info.dataset == name)
        assert not info.refusal
        return [v for _, block in reader.blocks(info) for v in block.ravel().tolist()]


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        listed(path)
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.pt"


def test_a_tensor_alone(path: Path) -> None:
    path.write_bytes(pt.archive(PLAIN, MEMORY))
    assert values_of(path, "") == VALUES.ravel().tolist()


def test_tensors_in_dicts_and_lists(path: Path) -> None:
    inner = b"](" + PLAIN + PLAIN + b"e"
    path.write_bytes(pt.archive(pt.dict_of({"maps": inner, "epoch": pt.number(3)}), MEMORY))
    found = listed(path)
    assert list(found) == ["maps/0", "maps/1", "epoch"]
    assert values_of(path, "maps/1") == VALUES.ravel().tolist()
    assert found["epoch"].refusal == "is no tensor but int"


def test_a_view_of_a_storage(path: Path) -> None:
    """``x[1]`` saved: the storage is all of x, and a share of it is the tensor."""
    path.write_bytes(pt.archive(pt.tensor("0", "f4", (3, 4), (4, 1), offset=12), MEMORY))
    assert values_of(path, "") == VALUES[1].ravel().tolist()


@pytest.mark.parametrize(
    ("shape", "strides"), [((3, 2, 4), (4, 12, 1)), ((5, 3), (0, 1)), ((2, 3), (1, 1))]
)
def test_other_orders_of_the_axes_are_refused(
    path: Path, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    path.write_bytes(pt.archive(pt.tensor("0", "f4", shape, strides), MEMORY))
    assert "save it with .contiguous()" in listed(path)[""].refusal


@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_bfloat16(path: Path, byte_order: str) -> None:
    pytest.importorskip("ml_dtypes")
    bits = (VALUES.view("u4") >> 16).astype("<u2" if byte_order == "little" else ">u2")
    tensor = pt.tensor("0", "bf16", (2, 3, 4), (12, 4, 1))
    path.write_bytes(pt.archive(tensor, {"0": bits.tobytes()}, byte_order))
    assert values_of(path, "") == VALUES.ravel().tolist()
    assert listed(path)[""].dtype_name == "bfloat16"


def test_float8_has_its_dtype_in_the_call(path: Path) -> None:
    dtypes = pytest.importorskip("ml_dtypes")
    tensor = pt.tensor("0", "", (2, 3, 4), (12, 4, 1), dtype="float8_e4m3fn")
    narrow = VALUES.astype(dtypes.float8_e4m3fn)
    path.write_bytes(pt.archive(tensor, {"0": narrow.tobytes()}))
    assert values_of(path, "") == narrow.astype("f4").ravel().tolist()


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("import sys; sys.gpool_was_run = True",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_is_run(path: Path, protocol: int) -> None:
    made = pickle.dumps({"x": Harmful(), "y": 1}, protocol)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", made)
    assert listed(path)["x"].refusal.endswith("exec")
    assert not hasattr(sys, "gpool_was_run")


def test_nothing_is_imported(path: Path) -> None:
    path.write_bytes(pt.archive(b"cantigravity\ngeohash\n", {}))
    assert listed(path)[""].refusal == "is no tensor but antigravity.geohash"
    assert "antigravity" not in sys.modules


def test_a_storage_that_is_too_short(path: Path) -> None:
    for tensor in (
        pt.tensor("0", "f4", (2, 3, 5), (15, 5, 1)),
        pt.tensor("0", "f4", (2, 3, 4), (12, 4, 1), offset=1),
        pt.tensor("9", "f4", (2, 3, 4), (12, 4, 1)),
        pt.tensor("../../a", "f4", (2, 3, 4), (12, 4, 1)),
        pt.tensor("0", "f4", (1 << 40, 1 << 20), (1 << 20, 1)),
    ):
        path.write_bytes(pt.archive(tensor, MEMORY))
        info = listed(path)[""]
        assert info.refusal == "has not all its values"
        assert info.broken


def test_names_that_coincide(path: Path) -> None:
    for described in (
        b"}(" + pt.number(1) + PLAIN + pt.text("1") + PLAIN + b"u",
        pt.dict_of({"a/b": PLAIN, "a": pt.dict_of({"b": PLAIN})}),
    ):
        assert "has two objects of the name" in refusal(path, pt.archive(described, MEMORY))


def test_keys_that_make_no_name_are_listed(path: Path) -> None:
    described = b"}(N" + PLAIN + pt.numbers((0, 1)) + PLAIN + pt.text("x") + PLAIN + b"u"
    path.write_bytes(pt.archive(described, MEMORY))
    reasons = {name: info.refusal for name, info in listed(path).items()}
    assert reasons == {
        "(NoneType 0)": "stands under a key that is a NoneType",
        "(tuple 1)": "stands under a key that is a tuple",
        "x": "",
    }


@pytest.mark.parametrize("dtype", ["", "float32"])
def test_a_tensor_that_is_negated_by_its_metadata(path: Path, dtype: str) -> None:
    for said, reason in (("neg", "negated"), ("", "")):
        items = {said: b"\x88"} if said else {}
        metadata = pt.dict_of(items)
        tensor = pt.tensor("0", "f4", (2, 3, 4), (12, 4, 1), dtype=dtype, metadata=metadata)
        path.write_bytes(pt.archive(tensor, MEMORY))
        refused = listed(path)[""].refusal
        assert reason in refused
        assert bool(refused) is bool(reason)


def test_metadata_may_be_none(path: Path) -> None:
    tensor = pt.tensor("0", "f4", (2, 3, 4), (12, 4, 1), metadata=b"N")
    path.write_bytes(pt.archive(tensor, MEMORY))
    assert values_of(path, "") == VALUES.ravel().tolist()


# A long text, remembered, and what asks for it again and again.
LONG = pt.text("k" * 50_000) + b"q\x01"
SIZE = b"ctorch\nSize\nq\x00"
ORDERED = b"ccollections\nOrderedDict\nq\x00](" + b"K\x01N\x86" * 1000 + b"e\x85q\x01"

REPEATS = {
    "sizes that are a text": SIZE + LONG + b"\x85R",
    "too many sizes": SIZE + b"](" + b"K\x01" * 65 + b"e\x85R",
    "ordered dicts of one list": b"](" + ORDERED + b"h\x00h\x01R" * 2000 + b"e",
    "a long key": b"}" + LONG + b"Ns",
    "a long name of a class": b"]" + LONG + b"h\x01\x93a",
    "a long name of a storage": pt.tensor("k" * 2000, "f4", (1,), (1,)),
    "keys of one hash": b"}(" + b"\x8a\x0a" + (2**61 - 1 << 10).to_bytes(10, "little") + b"Nu",
    "long names of many": pt.dict_of({"n" * 990: b"](" + b"N" * 50_000 + b"e"}),
}


@pytest.mark.parametrize("kind", REPEATS)
def test_what_is_remembered_is_not_copied_without_end(path: Path, kind: str) -> None:
    said = refusal(path, pt.archive(REPEATS[kind], MEMORY))
    assert "too many objects" in said or "its pickle is no such description" in said


BOMBS = {
    "nested": b"]" * 5000 + b"a" * 4999,
    "a list in itself": b"]q\x00h\x00a",
    "doubled thirty times": b"]" + b"q\x00](h\x00h\x00e" * 30,
    "a million opcodes": b"]" + b"K\x010" * 10 + b"K\x01" * 1_100_000,
    "a long name": pt.dict_of({"n" * 2000: b"]" + PLAIN + b"a"}),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs(path: Path, kind: str) -> None:
    said = refusal(path, pt.archive(BOMBS[kind], MEMORY))
    assert "too many objects" in said or "can't be read without running it" in said


@pytest.mark.parametrize(
    "described",
    [b"", b"e", b"(", b"h\x09", b"R", b"]R", b"K\x01K\x02a", b"\x85", b"U", b"Ktt", b"X\xff\xff"],
)
def test_programs_that_make_no_sense(path: Path, described: bytes) -> None:
    assert "can't be read without running it" in refusal(path, pt.archive(described, {}))


def test_opcodes_that_tensors_do_not_need(path: Path) -> None:
    said = refusal(path, pt.archive(b"(ios\nsystem\n", {}))
    assert said.endswith("it has the opcode INST, which tensors do not need")


def test_a_compressed_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
    with pytest.raises(InputError, match="compressed member a/data.pkl"):
        listed(path)


def test_the_format_before_1_6(path: Path) -> None:
    said = refusal(path, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.")
    assert said == "is of the format that PyTorch had before 1.6"


def test_npz_under_this_name(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=VALUES)
    with pytest.raises(InputError, match="is no PyTorch file but a zip archive"):
        listed(path)
