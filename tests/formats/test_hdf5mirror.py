"""What an HDF5 output takes over from an HDF5 input, and what it says of itself."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli import __version__
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.hdf5writer import Hdf5Writer
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import InputFile, Result
from gpool_cli.surroundings import Carry, Surroundings

MAP = np.zeros((7, 5, 3), "f4")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.h5"


@pytest.fixture
def pooled(make_result: Callable[..., Result]) -> Callable[..., h5py.File]:
    """Write results of datasets of one file, as a run would, and open what was written."""

    def pool(
        path: Path, *datasets: str, style: WriteStyle | None = None, poolings: str = "avg"
    ) -> h5py.File:
        return h5py.File(io.BytesIO(pooled_bytes(make_result, path, datasets, style, poolings)))

    return pool


def surroundings_of(path: Path, datasets, others: bool = False) -> Surroundings:
    with Hdf5Reader(str(path)) as reader:
        list(reader.arrays())
        carry = Carry(str(path.parent) if others else "")
        found = reader.surroundings(datasets, carry)
    assert found is not None
    return found


def pooled_bytes(make_result, path: Path, datasets, style=None, poolings="avg") -> bytes:
    file = io.BytesIO()
    style = style or WriteStyle(recipe="avg")
    writer = Hdf5Writer(file, style)
    try:
        found = surroundings_of(path, datasets, style.copy_others)
        writer.begin(InputFile(str(path), path.name))
        writer.surround(found)
        for dataset in datasets:
            for pooling in poolings.split("+"):
                writer.add(make_result([1, 2, 3], path.name, dataset, pooling, path=str(path)))
    except InputError:
        writer.abandon()
        raise
    writer.finish()
    return file.getvalue()


def plain_attributes(item: h5py.HLObject) -> dict[str, object]:
    return {name: value for name, value in item.attrs.items() if name != "history"}


ATTRIBUTES: dict[str, Callable[[h5py.HLObject], None]] = {
    "text": lambda i: i.attrs.create("a", "häh", dtype=h5py.string_dtype()),
    "fixed text": lambda i: i.attrs.create("a", np.bytes_("abc")),
    "texts": lambda i: i.attrs.create("a", ["b", "ç"], dtype=h5py.string_dtype()),
    "empty text": lambda i: i.attrs.create("a", ""),
    "number": lambda i: i.attrs.create("a", 1.5),
    "numbers": lambda i: i.attrs.create("a", np.arange(6, dtype="i2").reshape(2, 3)),
    "big-endian": lambda i: i.attrs.create("a", np.arange(3, dtype=">i4")),
    "bool": lambda i: i.attrs.create("a", True),
    "bools": lambda i: i.attrs.create("a", np.array([True, False])),
    "complex": lambda i: i.attrs.create("a", 1 + 2j),
    "compound": lambda i: i.attrs.create("a", np.array([(1, 2.5)], [("x", "i4"), ("y", "f8")])),
    "enum": lambda i: i.attrs.create("a", 2, dtype=h5py.enum_dtype({"A": 1, "B": 2}, "i1")),
    "lists": lambda i: i.attrs.create(
        "a", [np.arange(3), np.arange(1)], (2,), h5py.vlen_dtype("i4")
    ),
    "array type": lambda i: i.attrs.create(
        "a", np.arange(6, dtype="f4").reshape(2, 3), dtype=np.dtype(("f4", (3,)))
    ),
    "opaque": lambda i: i.attrs.create("a", np.void(b"xyz")),
    "empty": lambda i: i.attrs.create("a", h5py.Empty("f4")),
    "no items": lambda i: i.attrs.create("a", np.zeros((0, 3))),
    "odd name": lambda i: i.attrs.create("ä b\n", 1),
}


def describe(item: h5py.HLObject) -> list[tuple]:
    """Attributes as stored: name, type, space, and the values in text."""
    found = []
    for i in range(h5py.h5a.get_num_attrs(item.id)):
        attribute = h5py.h5a.open(item.id, index=i)
        value = item.attrs[attribute.name]
        kind = attribute.get_type()
        found.append(
            (attribute.name, kind.get_class(), kind.get_size(), attribute.shape, str(value))
        )
    return found


class TestAttributes:
    @pytest.mark.parametrize("kind", ATTRIBUTES)
    def test_of_groups_datasets_and_the_root(self, kind: str, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            for item in (file["/"], file["g"], file["g/m"]):
                ATTRIBUTES[kind](item)
            expected = describe(file["g"])
        assert len(expected) == 1

        with pooled(path, "g/m") as file:
            assert describe(file["g"]) == expected
            for name in ("/", "g/m"):
                assert expected[0] in describe(file[name])

    def test_a_named_type(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"], file["t"] = MAP, np.dtype("f4")
            file["m"].attrs.create("a", 1.5, dtype=file["t"])
        with pooled(path, "m") as file:
            assert file["m"].attrs["a"] == 1.5

    def test_what_is_hdf5s_own_stays_behind(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            file["c"] = np.arange(3)
            file["c"].make_scale("channel")
            dataset.dims[2].attach_scale(file["c"])
            dataset.attrs["CLASS"], dataset.attrs["NAME"], dataset.attrs["kept"] = "x", "y", 1
            assert {"DIMENSION_LIST", "CLASS", "NAME"} <= set(dataset.attrs)

        with pooled(path, "m") as file:
            assert set(file["m"].attrs) == {
                "kept", "pooling", "layout", "input_shape", "input_dtype", "DIMENSION_LABELS",
            }  # fmt: skip

    def test_a_map_that_is_a_scale(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"], file["other"] = MAP, np.zeros(7)
            file["m"].make_scale("map")
            file["other"].dims[0].attach_scale(file["m"])
            assert {"REFERENCE_LIST", "CLASS", "NAME"} <= set(file["m"].attrs)
        with pooled(path, "m") as file:
            assert {"REFERENCE_LIST", "CLASS", "NAME"}.isdisjoint(file["m"].attrs)

    def test_a_reference_stays_behind(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["m"].attrs["a"], file["m"].attrs["b"] = file["m"].ref, 1
        with pooled(path, "m") as file:
            assert "a" not in file["m"].attrs
            assert file["m"].attrs["b"] == 1

    def test_words_that_pooling_has_changed(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["g/m"].attrs["layout"] = "CHW"
            file["g/m"].attrs["data_format"] = "channels_first"
            file["g"].attrs["layout"] = "of the room"
        with pooled(path, "g/m") as file:
            assert file["g/m"].attrs["layout"] == "HWC"
            assert "data_format" not in file["g/m"].attrs
            assert file["g"].attrs["layout"] == "of the room"


class TestResults:
    def test_a_result_says_what_it_is(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["m"].attrs["pooling"] = 3
            file["m"].attrs["input_shape"] = "old"
        with pooled(path, "m") as file:
            dataset = file["m"]
            assert dataset.shape == (1, 1, 3)
            assert dataset.attrs["pooling"] == "avg"
            assert dataset.attrs["layout"] == "HWC"
            assert dataset.attrs["input_dtype"] == "float32"
            assert dataset.attrs["input_shape"].tolist() == [7, 5, 3]
            assert [dim.label for dim in dataset.dims] == ["H", "W", "C"]

    def test_groups_also_empty_ones(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["a/b/m"] = MAP
            file.create_group("empty/inside")
            file["scalar"] = 1
        with pooled(path, "a/b/m") as file:
            assert list(file) == ["a", "empty"]
            assert list(file["a/b"]) == ["m"]
            assert list(file["empty"]) == ["inside"]

    def test_cycles_and_links_out_of_the_file(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["g/up"] = file["/"]
            file["g/soft"] = h5py.SoftLink("/g")
            file["away"] = h5py.ExternalLink("in.h5", "/g")
        with pooled(path, "g/m") as file:
            assert list(file) == ["g"]
            assert list(file["g"]) == ["m"]

    def test_a_soft_link_that_is_pooled_becomes_a_dataset(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["g/m"].attrs["a"] = 1
            file["s"] = h5py.SoftLink("/g/m")
        with pooled(path, "s") as file:
            assert file["s"].attrs["a"] == 1

    def test_two_poolings(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["m"].attrs["a"] = 1
        style = WriteStyle(several_poolings=True, recipe="avg+max")
        with pooled(path, "m", style=style, poolings="avg+max") as file:
            assert {name: item.attrs["pooling"] for name, item in file.items()} == {
                "m.avg": "avg",
                "m.max": "max",
            }
            assert [item.attrs["a"] for item in file.values()] == [1, 1]

    def test_several_inputs_stand_in_groups(self, tmp_path: Path, make_result) -> None:
        data = io.BytesIO()
        writer = Hdf5Writer(data, WriteStyle(several_inputs=True, recipe="avg"))
        for name in ("x", "y"):
            path = tmp_path / f"{name}.h5"
            with h5py.File(path, "w") as file:
                file["m"] = MAP
                file.attrs["who"] = name
            writer.begin(InputFile(str(path), path.name))
            writer.surround(surroundings_of(path, ["m"]))
            writer.add(make_result([1, 2, 3], path.name, "m", path=str(path)))
        (tmp_path / "z.npy").write_bytes(b"no HDF5")
        writer.begin(InputFile(str(tmp_path / "z.npy"), "z.npy"))
        writer.add(make_result([1, 2, 3], "z.npy"))
        writer.finish()
        with h5py.File(data) as file:
            assert {g: dict(file[g].attrs) for g in "xy"} == {"x": {"who": "x"}, "y": {"who": "y"}}
            assert list(file["x"]) == ["m"]
            assert isinstance(file["z"], h5py.Dataset)
            assert list(file.attrs) == ["history"]

    @pytest.mark.parametrize("raw", [b"\xff\xfe", b"..", b"a\nb", "木".encode()])
    def test_hostile_names(self, raw: bytes, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            space = h5py.h5s.create_simple(MAP.shape)
            group = h5py.h5g.create(file.id, raw)
            for name in (raw, b"other" + raw):
                h5py.h5d.create(group, name, h5py.h5t.NATIVE_FLOAT, space)
        text = raw.decode("utf-8", "surrogateescape")
        style = WriteStyle(copy_others=True, recipe="avg")
        with pooled(path, f"{text}/{text}", style=style) as file:
            (group,) = file.values()
            shapes = sorted(item.shape for item in group.values())
        assert shapes == [(1, 1, 3), (7, 5, 3)]


class TestHistory:
    def test_a_new_one(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
        with pooled(path, "m", style=WriteStyle(recipe="avg layout=CHW")) as file:
            assert file.attrs["history"] == f"gpool {__version__} avg layout=CHW"

    @pytest.mark.parametrize("earlier", ["made by hand\nand more", b"made by hand\nand more"])
    def test_before_an_existing_one(self, earlier: object, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file.attrs["history"] = earlier
        with pooled(path, "m") as file:
            assert file.attrs["history"] == f"gpool {__version__} avg\nmade by hand\nand more"


class TestCopyOthers:
    STYLE = WriteStyle(copy_others=True, recipe="avg")

    def fill(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["g/coords"] = np.arange(20, dtype=">i4").reshape(10, 2)
            file.create_dataset(
                "g/labels", data=np.arange(1000, dtype="u1"), chunks=(300,), compression="gzip"
            )
            file["names"] = ["one", "zwö"]
            file["scalar"] = 1.5
            file["empty"] = h5py.Empty("f4")
            file["g/coords"].attrs["unit"] = "px"

    def test_unchanged(self, path: Path, pooled) -> None:
        self.fill(path)
        with pooled(path, "g/m", style=self.STYLE) as file:
            assert file["g/m"].shape == (1, 1, 3)
            assert file["g/coords"].dtype == ">i4"
            assert file["g/coords"][()].tolist() == np.arange(20).reshape(10, 2).tolist()
            assert file["g/coords"].attrs["unit"] == "px"
            assert file["g/labels"].compression == "gzip"
            assert file["g/labels"].chunks == (300,)
            assert (file["g/labels"][()] == np.arange(1000, dtype="u1")).all()
            assert list(file["names"].asstr()) == ["one", "zwö"]
            assert file["scalar"][()] == 1.5
            assert file["empty"].shape is None

    def test_not_without_the_option(self, path: Path, pooled) -> None:
        self.fill(path)
        with pooled(path, "g/m") as file:
            assert list(file) == ["g"]
            assert list(file["g"]) == ["m"]

    def test_a_scale_without_its_links(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            file["c"] = np.arange(3)
            file["c"].make_scale("channel")
            dataset.dims[2].attach_scale(file["c"])
            file["other"] = np.zeros(3)
            file["other"].dims[0].attach_scale(file["c"])
        with pooled(path, "m", style=self.STYLE) as file:
            assert file["c"][()].tolist() == [0, 1, 2]
            assert set(file["c"].attrs) == {"CLASS", "NAME"}
            assert "DIMENSION_LIST" not in file["other"].attrs

    def test_a_link_to_another_file_stays_behind(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["away"] = h5py.ExternalLink("other.h5", "m")
        with pooled(path, "m", style=self.STYLE) as file:
            assert list(file) == ["m"]

    @pytest.mark.parametrize("name", ["elsewhere", "virtual"])
    def test_values_in_other_files_are_not_lost_without_a_word(
        self, name: str, path: Path, pooled
    ) -> None:
        (path.parent / "values.bin").write_bytes(bytes(8))
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            if name == "elsewhere":
                file.create_dataset(name, (2,), "f4", external=[("values.bin", 0, 8)])
            else:
                layout = h5py.VirtualLayout((2,), "f4")
                layout[:] = h5py.VirtualSource("other.h5", "m", (2,))
                file.create_virtual_dataset(name, layout)
        with pytest.raises(InputError) as caught:
            pooled(path, "m", style=self.STYLE)
        said = f"{name} can't be carried over: its values lie in other files"
        assert (caught.value.message, caught.value.hint) == (said, "leave out --copy-others")

    def test_a_name_that_a_result_has_taken(self, path: Path, pooled) -> None:
        with h5py.File(path, "w") as file:
            file["m"], file["m.avg"] = MAP, np.arange(3)
        style = WriteStyle(copy_others=True, several_poolings=True)
        with pytest.raises(InputError) as caught:
            pooled(path, "m", style=style)
        assert caught.value.message.startswith("m.avg can't be carried over: ")
        assert caught.value.hint == "leave out --copy-others"

    def test_times_of_creation_are_those_of_the_input(self, path: Path, make_result) -> None:
        """The same input gives the same bytes; a copy made now has no time of now."""
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file.create_dataset("c", data=np.arange(3), track_times=True)
        with h5py.File(path, "r") as file:
            now = h5py.h5g.get_objinfo(file.id, b"c").mtime
        stamp, long_ago = struct.pack("<I", now), struct.pack("<I", 10**9)
        assert path.read_bytes().count(stamp) == 1
        path.write_bytes(path.read_bytes().replace(stamp, long_ago))

        data = pooled_bytes(make_result, path, ["m"], self.STYLE)

        assert long_ago in data
        with h5py.File(io.BytesIO(data)) as file:
            assert h5py.h5g.get_objinfo(file.id, b"c").mtime == 10**9
            assert h5py.h5g.get_objinfo(file.id, b"m").mtime == 0


class TestDamagedInput:
    """What can't be read in an input is an error about it, and leaves nothing behind."""

    KINDS = [OSError, RuntimeError, ValueError, KeyError, TypeError]

    def surroundings(self, path: Path, others: bool = False) -> Surroundings:
        with h5py.File(path, "w") as file:
            file["m"], file["other"] = MAP, np.arange(3)
            file["m"].attrs["a"], file["m"].attrs["b"] = 1, 2
        return surroundings_of(path, ["m"], others)

    @pytest.mark.parametrize("kind", KINDS)
    def test_attributes_that_cannot_be_listed(
        self, kind: type[Exception], path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gpool_cli.formats.hdf5attributes.h5py.h5a.iterate", raising(kind))
        with pytest.raises(InputError, match="attributes can't be read: .*damaged"):
            self.surroundings(path)

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_dataset_that_cannot_be_copied(
        self, kind: type[Exception], path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(h5py.h5o, "copy", raising(kind))
        with pytest.raises(InputError, match="other can't be carried over: .*damaged") as caught:
            self.surroundings(path, others=True)
        assert caught.value.hint == "leave out --copy-others"
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_attribute_stays_behind(
        self, kind: type[Exception], path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = h5py.h5a.open

        def open_some(item: object, name: bytes) -> object:
            return raising(kind)() if name == b"a" else opened(item, name)

        monkeypatch.setattr(h5py.h5a, "open", open_some)
        ((name, attributes),) = self.surroundings(path).datasets
        assert (name, [attribute.name for attribute in attributes]) == ("m", [b"b"])

    def test_what_waits_is_copied_once_and_gone(self, path: Path, make_result) -> None:
        found = self.surroundings(path, others=True)
        assert Path(found.others).exists()
        writer = Hdf5Writer(io.BytesIO(), WriteStyle(copy_others=True, recipe="avg"))
        writer.end()
        writer.begin(InputFile(str(path), path.name))
        writer.surround(found)
        writer.add(make_result([1, 2, 3], path.name, "m", path=str(path)))
        writer.end()
        assert list(writer._h5) == ["m", "other"]
        assert not Path(found.others).exists()
        writer.end()
        writer.finish()

    def test_what_waits_goes_with_an_output_that_is_thrown_away(self, path: Path) -> None:
        found = self.surroundings(path, others=True)
        writer = Hdf5Writer(io.BytesIO(), WriteStyle(copy_others=True, recipe="avg"))
        writer.begin(InputFile(str(path), path.name))
        writer.surround(found)
        writer.abandon()
        assert list(path.parent.iterdir()) == [path]


def raising(kind: type[Exception], *details: object) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise kind(*(details or ("damaged",)))

    return fail
