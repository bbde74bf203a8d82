"""HDF5 datasets: every way of storing them, what is skipped and why, what the file says of axes."""

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats import hdf5source
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.model import ArrayInfo

MAP = np.random.default_rng(0).normal(size=(7, 10, 11)).astype("f4")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


def listed(path: Path) -> dict[str, ArrayInfo]:
    with Hdf5Reader(str(path)) as reader:
        return {info.dataset: info for info in reader.arrays()}


def values(path: Path, name: str = "m") -> np.ndarray:
    """A dataset, put together from its blocks."""
    with Hdf5Reader(str(path)) as reader:
        info = next(info for info in reader.arrays() if info.dataset == name)
        assert info.dtype is not None
        whole = np.zeros(info.shape, info.dtype.newbyteorder("="))
        for block, part in reader.blocks(info):
            box = tuple(slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))
            whole[box] = part
    return whole


def first_refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        values(path)
    return caught.value


class TestStorage:
    @pytest.mark.parametrize(
        ("options", "filters"),
        [
            ({}, ()),
            ({"chunks": (7, 10, 11)}, ()),
            ({"chunks": (3, 4, 5)}, ()),
            ({"chunks": (1, 1, 1)}, ()),
            ({"chunks": (3, 4, 5), "compression": "gzip"}, ("gzip",)),
            ({"chunks": (3, 4, 5), "compression": "lzf"}, ("lzf",)),
            ({"chunks": (3, 4, 5), "shuffle": True, "compression": 9}, ("shuffle", "gzip")),
            ({"chunks": (3, 4, 5), "fletcher32": True}, ("fletcher32",)),
            ({"maxshape": (None, None, 11), "chunks": (8, 16, 4)}, ()),
        ],
    )
    @pytest.mark.parametrize("libver", ["earliest", "latest"])
    def test_every_layout_and_filter(
        self, options: dict, filters: tuple[str, ...], libver: str, path: Path
    ) -> None:
        with h5py.File(path, "w", libver=libver) as file:
            file.create_dataset("m", data=MAP, **options)

        info = listed(path)["m"]

        assert info.filters == filters
        assert info.chunks == options.get("chunks")
        np.testing.assert_array_equal(values(path), MAP)

    def test_compact(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_layout(h5py.h5d.COMPACT)
            space = h5py.h5s.create_simple(MAP.shape)
            dataset = h5py.h5d.create(file.id, b"m", h5py.h5t.NATIVE_FLOAT, space, plist)
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, MAP)
        np.testing.assert_array_equal(values(path), MAP)

    def test_scale_offset(self, path: Path) -> None:
        numbers = np.arange(770, dtype="i4").reshape(7, 10, 11)
        with h5py.File(path, "w") as file:
            file.create_dataset("m", data=numbers, chunks=(3, 4, 5), scaleoffset=0)
        assert listed(path)["m"].filters == ("scale-offset",)
        np.testing.assert_array_equal(values(path), numbers)

    @pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", ">i2", ">u8"])
    @pytest.mark.parametrize("chunks", [None, (3, 4, 5)])
    def test_big_endian(self, dtype: str, chunks: tuple[int, ...] | None, path: Path) -> None:
        numbers = (MAP * 9).astype("i2").astype(dtype)
        with h5py.File(path, "w") as file:
            file.create_dataset("m", data=numbers, chunks=chunks)
        np.testing.assert_array_equal(values(path), numbers)

    def test_user_block(self, path: Path) -> None:
        with h5py.File(path, "w", userblock_size=512) as file:
            file["m"] = MAP
        np.testing.assert_array_equal(values(path), MAP)

    def test_bool_is_an_enumeration_that_is_pooled(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP > 0
        assert listed(path)["m"].dtype == np.bool_
        np.testing.assert_array_equal(values(path), MAP > 0)

    @pytest.mark.parametrize("chunks", [None, (3, 4, 5)])
    def test_never_written_gives_the_fill_value(
        self, chunks: tuple[int, ...] | None, path: Path
    ) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("m", (7, 10, 11), "f4", fillvalue=2.5, chunks=chunks)
        assert (values(path) == 2.5).all()

    @pytest.mark.parametrize("chunks", [(200, 300, 7), (1, 999, 3), (999, 1, 1), (50, 50, 50)])
    def test_large_chunks_and_small_ones(self, chunks: tuple[int, ...], path: Path) -> None:
        numbers = np.arange(251 * 333 * 9, dtype="u4").reshape(251, 333, 9)
        chunks = tuple(min(pair) for pair in zip(chunks, numbers.shape, strict=True))
        with h5py.File(path, "w") as file:
            file.create_dataset("m", data=numbers, chunks=chunks)
        np.testing.assert_array_equal(values(path), numbers)

    def test_groups_in_groups(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            for name in ("z", "a/b/c/m", "a/b/m", "ü/木", "a/m.npy"):
                file[name] = MAP
        assert list(listed(path)) == ["a/b/c/m", "a/b/m", "a/m.npy", "z", "ü/木"]
        np.testing.assert_array_equal(values(path, "a/b/c/m"), MAP)


class TestSkipped:
    """What can't be pooled, with the reason that is shown; none of it is damage."""

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda f: f.create_dataset("m", data=["a", "b"]), "holds strings"),
            (lambda f: f.create_dataset("m", data=np.array([b"a"])), "holds strings"),
            (lambda f: f.create_dataset("m", (2,), h5py.vlen_dtype("i4")), "holds lists"),
            (lambda f: f.create_dataset("m", (2,), h5py.enum_dtype({"A": 1})), "is an enumeration"),
            (lambda f: f.create_dataset("m", (2,), h5py.ref_dtype), "holds references"),
            (lambda f: f.create_dataset("m", (2,), [("x", "f4")]), "is compound"),
            (lambda f: f.create_dataset("m", (2,), np.dtype(("f4", (3,)))), "is compound"),
            (lambda f: f.create_dataset("m", (2,), "c8"), "is complex"),
            (lambda f: f.create_dataset("m", (2,), "V5"), "is opaque"),
            (lambda f: f.create_dataset("m", data=h5py.Empty("f4")), "has no values"),
        ],
    )
    def test_reasons(self, make, reason: str, path: Path) -> None:
        with h5py.File(path, "w") as file:
            make(file)
        info = listed(path)["m"]
        assert info.refusal == reason
        assert not info.broken

    def test_a_type_that_numpy_does_not_have(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            space = h5py.h5s.create_simple((2,))
            h5py.h5d.create(file.id, b"m", h5py.h5t.UNIX_D32LE, space)
        info = listed(path)["m"]
        assert info.refusal == "is of a type that numpy does not have"
        assert not info.broken

    def test_a_named_type(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["t"] = np.dtype("f4")
        info = listed(path)["t"]
        assert info.refusal == "is a named datatype"
        assert not info.broken

    def test_a_scalar_and_a_vector_are_left_to_who_asks(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["scalar"], file["vector"] = 1.5, np.zeros(4)
        assert [(i.shape, i.refusal) for i in listed(path).values()] == [((), ""), ((4,), "")]


def with_filter(path: Path, code: int) -> None:
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(MAP.shape)
        plist.set_filter(code, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple(MAP.shape)
        dataset = h5py.h5d.create(file.id, b"m", h5py.h5t.NATIVE_FLOAT, space, plist)
        dataset.write_direct_chunk((0, 0, 0), MAP.tobytes())


class TestRefused:
    """What is damage, or danger: a failure."""

    def test_a_virtual_dataset(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            layout = h5py.VirtualLayout((2, 3, 4), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "m", (2, 3, 4))
            file.create_virtual_dataset("m", layout)
        info = listed(path)["m"]
        assert info.broken
        assert (
            info.refusal
            == "is virtual: its values lie in other datasets, which only --follow-external reads"
        )

    def test_external_storage(self, path: Path) -> None:
        (path.parent / "values.bin").write_bytes(bytes(96))
        with h5py.File(path, "w") as file:
            file.create_dataset("m", (2, 3, 4), "f4", external=[("values.bin", 0, 96)])
        info = listed(path)["m"]
        assert info.broken
        assert (
            info.refusal == "keeps its values in another file, which only --follow-external reads"
        )

    def test_a_checksum(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP, chunks=(7, 10, 11), fletcher32=True)
            place = dataset.id.get_chunk_info(0).byte_offset
        data = bytearray(path.read_bytes())
        data[place + 5] ^= 1
        path.write_bytes(data)
        error = first_refusal(path)
        assert error.message.startswith("can't be read at (0, 0, 0): ")
        assert error.hint == "copy or save the file again"

    def test_a_damaged_chunk(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP, chunks=(4, 10, 11), compression="gzip")
            info = dataset.id.get_chunk_info(1)
        data = bytearray(path.read_bytes())
        data[info.byte_offset : info.byte_offset + info.size] = b"\xff" * info.size
        path.write_bytes(data)
        assert first_refusal(path).message.startswith("can't be read at ")

    @pytest.mark.parametrize(
        ("code", "name", "hint"),
        [
            (32004, "lz4", "install it with: pip install 'gpool[codecs]'"),
            (32099, "filter 32099", "rewrite the file with: h5repack -f GZIP=4 OLD NEW"),
        ],
    )
    def test_a_filter_that_is_not_there(
        self, code: int, name: str, hint: str, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_filter(path, code)
        monkeypatch.setitem(sys.modules, "hdf5plugin", None)
        monkeypatch.setattr(hdf5source.h5z, "filter_avail", lambda code: False)
        assert listed(path)["m"].filters == (name,)
        error = first_refusal(path)
        assert error.message == f"needs the filter {name}, which is not installed"
        assert error.hint == hint

    def test_hdf5plugin_is_imported_when_a_filter_is_missing_and_not_before(
        self, path: Path
    ) -> None:
        if importlib.util.find_spec("hdf5plugin") is None:
            pytest.skip("hdf5plugin is not installed")
        make = (
            "import sys, h5py, hdf5plugin\n"
            "with h5py.File(sys.argv[1], 'w') as file:\n"
            "    for name, how in [('a', {'compression': 4}), ('b', hdf5plugin.Zstd())]:\n"
            "        file.create_dataset(name, data=[[5.0] * 9] * 9, chunks=(3, 9), **how)\n"
        )
        read = (
            "import sys\n"
            "from gpool_cli.formats.hdf5reader import Hdf5Reader\n"
            "with Hdf5Reader(sys.argv[1]) as reader:\n"
            "    for info in reader.arrays():\n"
            "        total = sum(values.sum() for _, values in reader.blocks(info))\n"
            "        print(info.filters, total, 'hdf5plugin' in sys.modules)\n"
        )
        for code in (make, read):
            command = [sys.executable, "-c", code, str(path)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert said == "('gzip',) 405.0 False\n('zstd',) 405.0 True\n"

    def test_not_hdf5(self, path: Path) -> None:
        path.write_bytes(b"not at all" * 99)
        with pytest.raises(InputError) as caught:
            Hdf5Reader(str(path))
        assert str(caught.value) == "is no HDF5 file (copy or save the file again)"

    def test_cut_short(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(InputError, match="can't be opened as HDF5: .*truncated file"):
            Hdf5Reader(str(path))

    def test_a_dataset_that_is_gone(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
        gone = ArrayInfo("g/n", (7,), np.dtype("f4"))
        with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="can't be opened"):
            next(reader.blocks(gone))

    def test_a_link_name_with_a_slash(self, path: Path) -> None:
        """No library writes it; a damaged file may have it."""
        with h5py.File(path, "w") as file:
            file["aXb"] = MAP
        path.write_bytes(path.read_bytes().replace(b"aXb\0", b"a/b\0"))
        (info,) = listed(path).values()
        assert info.broken
        assert info.refusal.startswith("can't be opened: ")

    def test_a_link_name_with_a_slash_leads_nowhere(self, path: Path) -> None:
        """HDF5 would take it for a path, through any link on the way."""
        with h5py.File(path.parent / "other.h5", "w") as file:
            file["b"] = MAP
        with h5py.File(path, "w") as file:
            file["a"] = h5py.ExternalLink("other.h5", "/")
            file["aXb"] = MAP
        path.write_bytes(path.read_bytes().replace(b"aXb", b"a/b"))
        away, slash = listed(path).values()
        assert "another file" in away.refusal
        assert slash.refusal == "can't be opened: a name with a slash in it"


class TestFileLayout:
    """What the file itself says of the axes of a dataset."""

    @staticmethod
    def layout_of(path: Path) -> str | None:
        return listed(path)["m"].file_layout

    @pytest.mark.parametrize(
        ("labels", "layout"),
        [
            ("CHW", "CHW"),
            (("h", "w", "c"), "HWC"),
            (("channel", "height", "width"), "CHW"),
            (("batch", "Channels", "Length"), "NCL"),
            (("b", "c", "x"), "NCX"),
            (("height", "width", ""), None),
            (("time", "y", "x"), None),
            (("c", "c", "h"), None),
        ],
    )
    def test_dimension_labels(
        self, labels: tuple[str, ...], layout: str | None, path: Path
    ) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            for i, label in enumerate(labels):
                dataset.dims[i].label = label
        assert self.layout_of(path) == layout

    def test_dimension_scales(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            for i, name in enumerate(["scales/c", "scales/height", "W"]):
                file[name] = np.arange(MAP.shape[i])
                file[name].make_scale()
                dataset.dims[i].attach_scale(file[name])
        assert self.layout_of(path) == "CHW"

    def test_a_label_goes_before_a_scale(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            file["x"] = np.arange(7)
            file["x"].make_scale()
            dataset.dims[0].attach_scale(file["x"])
            for i, label in enumerate("CHW"):
                dataset.dims[i].label = label
        assert self.layout_of(path) == "CHW"

    def test_a_scale_that_was_deleted_takes_nothing_from_the_values(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            file["c"] = np.arange(7)
            file["c"].make_scale()
            dataset.dims[0].attach_scale(file["c"])
            del file["c"]
        assert self.layout_of(path) is None
        np.testing.assert_array_equal(values(path), MAP)

    @pytest.mark.parametrize("name", ["layout", "data_format"])
    @pytest.mark.parametrize(
        ("word", "layout"),
        [
            ("CHW", "CHW"),
            ("chw", "CHW"),
            (b"chw", "CHW"),
            (np.bytes_("CHW"), "CHW"),
            ("channels_first", "channels_first"),
            ("row-major", None),
            ("", None),
            (3, None),
            (["C", "H", "W"], None),
            (h5py.Empty("f4"), None),
            (b"\xff\xfe", None),
        ],
    )
    def test_attributes(self, name: str, word: object, layout: str | None, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["m"].attrs[name] = word
        assert self.layout_of(path) == layout

    def test_labels_go_before_attributes_and_layout_before_data_format(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("m", data=MAP)
            dataset.attrs["data_format"] = "channels_last"
            assert self.now(file) == "channels_last"
            dataset.attrs["layout"] = "WHC"
            assert self.now(file) == "WHC"
            for i, label in enumerate("CHW"):
                dataset.dims[i].label = label
            assert self.now(file) == "CHW"

    def now(self, file: h5py.File) -> str | None:
        file.flush()
        copy = Path(file.filename).with_suffix(".copy.h5")
        copy.write_bytes(Path(file.filename).read_bytes())
        return self.layout_of(copy)

    def test_nothing(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
        assert self.layout_of(path) is None


class TestLinks:
    def test_soft_links_inside_the_file(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["absolute"] = h5py.SoftLink("/g/m")
            file["g/beside"] = h5py.SoftLink("m")
            file["g/dotted"] = h5py.SoftLink("./m")
            file["twice"] = h5py.SoftLink("absolute")
        assert set(listed(path)) == {"g/m", "absolute", "g/beside", "g/dotted", "twice"}
        for name in ("absolute", "g/beside", "g/dotted", "twice"):
            np.testing.assert_array_equal(values(path, name), MAP)

    def test_a_soft_link_to_a_group_is_not_walked_twice(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["g/m"] = MAP
            file["z"] = h5py.SoftLink("/g")
        assert list(listed(path)) == ["g/m"]

    def test_a_hard_link_to_a_dataset_is_another_name(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["same"] = file["m"]
        assert list(listed(path)) == ["m", "same"]

    @pytest.mark.parametrize(
        ("target", "reason"),
        [
            ("/nothing", "is a link to /nothing, which is not there"),
            ("link", "is a link in a circle"),
            ("other", "is a link in a circle"),
            ("m/below", "is a link to m/below, which is not there"),
            ("/esc\x1b[31m", "is a link to /esc\\x1b[31m, which is not there"),
            ("/away/m", "is a link to another file, which only --follow-external follows"),
        ],
    )
    def test_soft_links_that_lead_nowhere(self, target: str, reason: str, path: Path) -> None:
        self.another_file(path)
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file["link"] = h5py.SoftLink(target)
            file["other"] = h5py.SoftLink("link")
            file["away"] = h5py.ExternalLink("other.h5", "/")
        info = listed(path)["link"]
        assert info.refusal == reason
        assert not info.broken

    def test_a_soft_link_to_a_name_that_is_not_utf_8(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["m"] = MAP
            file.id.links.create_soft(b"lost", b"/\xff")
            file.id.links.create_hard(b"\xfe", file.id, b"m")
            file.id.links.create_soft(b"good", b"/\xfe")
        infos = listed(path)
        assert infos["lost"].refusal == "is a link to /\\udcff, which is not there"
        assert infos["good"].shape == MAP.shape

    @staticmethod
    def another_file(path: Path) -> None:
        with h5py.File(path.parent / "other.h5", "w") as file:
            file["m"] = MAP

    @pytest.mark.parametrize("name", ["/", "/m"])
    def test_external_links_are_not_followed(self, name: str, path: Path) -> None:
        self.another_file(path)
        with h5py.File(path, "w") as file:
            file["away"] = h5py.ExternalLink("other.h5", name)
        (info,) = listed(path).values()
        assert info.refusal == "is a link to another file, which only --follow-external follows"
        with Hdf5Reader(str(path)) as reader, pytest.raises(InputError, match="another file"):
            next(reader.blocks(info))

    def test_cycles(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["a/m"] = MAP
            file["a/up"] = file["/"]
            file["a/self"] = file["a"]
            file["a/soft"] = h5py.SoftLink("/a")
        assert list(listed(path)) == ["a/m"]

    def test_a_fan_out(self, path: Path) -> None:
        """Forty levels of two links to one group each: 2⁴⁰ names for one dataset."""
        with h5py.File(path, "w") as file:
            file["0/m"] = MAP
            for level in range(1, 40):
                file[f"{level}/left"] = file[str(level - 1)]
                file[f"{level}/right"] = file[str(level - 1)]
        assert list(listed(path)) == ["0/m"]

    def test_a_thousand_groups_deep(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            group = file
            for _ in range(1000):
                group = group.create_group("g")
            group["m"] = MAP
        assert list(listed(path)) == ["g/" * 1000 + "m"]
        np.testing.assert_array_equal(values(path, "g/" * 1000 + "m"), MAP)

    @pytest.mark.parametrize("raw", [b"..", b"\xff\xfe", b"a\nb", b"\x1b[31m", b"x" * 70_000])
    def test_any_name_can_be_read(self, raw: bytes, path: Path) -> None:
        with h5py.File(path, "w") as file:
            space = h5py.h5s.create_simple(MAP.shape)
            group = h5py.h5g.create(file.id, b"g" + raw)
            dataset = h5py.h5d.create(group, raw, h5py.h5t.NATIVE_FLOAT, space)
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, MAP)
        (name,) = listed(path)
        assert name.encode("utf-8", "surrogateescape") == b"g" + raw + b"/" + raw
        np.testing.assert_array_equal(values(path, name), MAP)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="counts on glibc's malloc")
def test_the_memory_of_decoded_chunks_is_used_again(path: Path) -> None:
    count, chunk = 200, (1, 400, 250)
    with h5py.File(path, "w") as file:
        options = {"chunks": chunk, "compression": "lzf", "shuffle": True}
        file.create_dataset("m", data=np.ones((count, *chunk[1:]), "f4"), **options)
    script = (
        "import resource, sys\n"
        "from gpool_cli.formats.hdf5reader import Hdf5Reader\n"
        "with Hdf5Reader(sys.argv[1]) as reader:\n"
        "    (info,) = reader.arrays()\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in reader.blocks(info): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    faults = subprocess.check_output([sys.executable, "-c", script, str(path)])
    pages = 400 * 250 * 4 // os.sysconf("SC_PAGESIZE")
    assert int(faults) < count * pages / 4


@pytest.mark.parametrize("chunks", [None, (1, 3, 4)])
def test_a_file_that_was_replaced_after_it_was_listed(
    path: Path, chunks: tuple[int, ...] | None
) -> None:
    """What was read at the offset of another file would be taken for its values."""
    with h5py.File(path, "w") as file:
        file.create_dataset("m", data=np.ones((2, 3, 4), "f4"), chunks=chunks)
    (info,) = listed(path).values()
    other = path.with_suffix(".new")
    with h5py.File(other, "w") as file:
        file["first"] = np.full((50, 3, 4), 99, "f4")
        file.create_dataset("m", data=np.full((2, 3, 4), 2, "f4"), chunks=chunks)
    os.replace(other, path)
    with Hdf5Reader(str(path)) as reader:
        assert {values.max() for _, values in reader.blocks(info)} == {2}
