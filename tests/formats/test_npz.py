"""npz: what members may be, and what is said of those that can't be read."""

import contextlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.access import Access
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.npz import NpzReader, NpzWriter

MAP = np.arange(60, dtype="f4").reshape(3, 4, 5)


def npy(array: object = MAP) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def archive(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def listed(path: Path) -> list[tuple[str, str]]:
    with NpzReader(str(path)) as reader:
        return [(info.dataset, info.refusal) for info in reader.arrays()]


def read_all(path: Path) -> None:
    with NpzReader(str(path)) as reader:
        for info in list(reader.arrays()):
            list(reader.blocks(info))


def refusal(path: Path) -> str:
    """What is said of the archive, or of the first member that is damaged."""
    with contextlib.suppress(InputError), NpzReader(str(path)) as reader:
        for info in reader.arrays():
            if info.broken:
                return info.refusal
    with pytest.raises(InputError) as caught:
        read_all(path)
    assert caught.value.hint
    return caught.value.message


class TestMembers:
    @pytest.mark.parametrize(
        ("save", "filters"), [(np.savez, ("stored",)), (np.savez_compressed, ("deflate",))]
    )
    def test_the_method_is_told(self, save: Callable, filters: tuple[str], tmp_path: Path) -> None:
        save(tmp_path / "a.npz", m=MAP)
        with NpzReader(str(tmp_path / "a.npz")) as reader:
            (info,) = reader.arrays()
        assert info.filters == filters

    def test_order_and_names(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("z.npy", npy()), ("g/a.npy", npy()), ("A.npy", npy()))
        assert [name for name, _ in listed(path)] == ["z", "g/a", "A"]

    def test_members_that_are_no_npy(self, tmp_path: Path) -> None:
        path = archive(
            tmp_path / "a.npz",
            ("README", b"hello"),
            ("d/", b""),
            ("m.npy", npy()),
            ("o.npy", OBJECTS),
        )
        assert listed(path) == [("README", "is no npy array"), ("m", ""), ("o", "holds objects")]

    @pytest.mark.parametrize("name", ["../../up", "/etc/x", "esc\x1b[31m", "", " ", "ü" * 500])
    def test_a_name_is_only_a_label(self, name: str, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", (f"{name}.npy", npy()))
        with NpzReader(str(path)) as reader:
            (info,) = reader.arrays()
            ((_, values),) = reader.blocks(info)
            assert values.tolist() == MAP.tolist()
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.npz"]

    def test_bytes_before_the_archive(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("m.npy", npy()))
        path.write_bytes(b"#!/bin/sh\n" * 9 + path.read_bytes())
        assert listed(path) == [("m", "")]


OBJECTS = (
    b"\x93NUMPY\x01\x00\x3b\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }  \n"
)


class TestRefused:
    def test_two_members_of_one_name(self, tmp_path: Path) -> None:
        with pytest.warns(UserWarning, match="Duplicate name"):
            path = archive(tmp_path / "a.npz", ("m.npy", npy()), ("m.npy", npy(MAP + 1)))
        assert refusal(path) == "has two members of one name"

    @pytest.mark.parametrize("members", [[], [("d/", b"")]])
    def test_no_arrays(self, members: list[tuple[str, bytes]], tmp_path: Path) -> None:
        assert refusal(archive(tmp_path / "a.npz", *members)) == "holds no arrays"

    def test_an_empty_member(self, tmp_path: Path) -> None:
        assert refusal(archive(tmp_path / "a.npz", ("m.npy", b""))) == "is empty"

    def test_a_member_that_is_only_called_npy(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("m.npy", b"hello, world"))
        assert refusal(path) == "is no npy file but text"

    @pytest.mark.parametrize("content", [npy()[:-1], npy() + b"x"])
    def test_more_or_fewer_values_than_the_header_says(
        self, content: bytes, tmp_path: Path
    ) -> None:
        size = len(content) - 128
        assert refusal(archive(tmp_path / "a.npz", ("m.npy", content))) == (
            f"holds {size} bytes of values, its header asks for 240"
        )

    def test_the_name_is_escaped(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("\x1b[31m\n.npy", npy()))
        data = bytearray(path.read_bytes())
        data[data.rindex(b"PK\x01\x02") + 16] ^= 1  # the checksum in the directory
        path.write_bytes(data)
        with pytest.raises(InputError) as caught:
            read_all(path)
        assert caught.value.message.startswith("member '\\\\x1b[31m\\\\n' is a damaged zip")

    def test_one_damaged_member_leaves_the_others(self, tmp_path: Path) -> None:
        path = archive(
            tmp_path / "a.npz", ("a.npy", npy()), ("b.npy", b"junk"), ("c.npy", npy(MAP + 1))
        )
        with NpzReader(str(path)) as reader:
            infos = list(reader.arrays())
            ((_, values),) = reader.blocks(infos[2])
            assert values.tolist() == (MAP + 1).tolist()
        assert [(info.dataset, info.broken) for info in infos] == [
            ("a", False), ("b", True), ("c", False),
        ]  # fmt: skip
        assert infos[1].refusal == "is no npy file"

    def test_a_member_is_found_without_a_search(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = archive(tmp_path / "a.npz", *[(f"{i}.npy", npy()) for i in range(20)])
        with NpzReader(str(path)) as reader:
            infos = list(reader.arrays())
            monkeypatch.setattr(reader._zip, "infolist", None)
            for info in infos:
                list(reader.blocks(info))

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    @pytest.mark.parametrize("size", [1, 1000, 1024, 300_000])
    def test_a_checksum(self, method: int, size: int, tmp_path: Path) -> None:
        content = npy(np.random.default_rng(0).normal(size=(size, 1)))
        path = archive(tmp_path / "a.npz", ("m.npy", content), method=method)
        data = bytearray(path.read_bytes())
        place = data.rindex(b"PK\x01\x02") + 16  # the checksum in the directory
        data[place] ^= 1
        path.write_bytes(data)
        message = refusal(path)
        assert "is a damaged zip archive: Bad CRC-32" in message

    def test_values_are_damaged(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("m.npy", npy()))
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\x01\x02") - 8] ^= 1
        path.write_bytes(data)
        assert "Bad CRC-32" in refusal(path)

    def test_a_damaged_deflate_stream(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("m.npy", npy()), method=zipfile.ZIP_DEFLATED)
        data = bytearray(path.read_bytes())
        data[40:60] = b"\xff" * 20
        path.write_bytes(data)
        assert "is a damaged zip archive" in refusal(path)

    def test_encrypted(self, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("m.npy", npy()))
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        assert "can't be unpacked" in refusal(path)
        assert "encrypted" in refusal(path)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compression(self, method: int, tmp_path: Path) -> None:
        """zipfile would unpack it without a bound on memory."""
        path = archive(tmp_path / "a.npz", ("m.npy", npy()), method=method)
        with NpzReader(str(path)) as reader:
            (info,) = reader.arrays()
        assert info.broken
        assert info.refusal == (
            f"is compressed by method {method}; gpool reads stored and deflated members"
        )

    @pytest.mark.parametrize("name", [b"\0.npy", b"\xff\xfe.np"])
    def test_a_name_that_zipfile_stumbles_over(self, name: bytes, tmp_path: Path) -> None:
        path = archive(tmp_path / "a.npz", ("é.npy", npy()), ("m.npy", npy()))
        path.write_bytes(path.read_bytes().replace("é.npy".encode(), name + b"\0"))
        assert refusal(path)


class TestWriter:
    def test_members_are_dated_as_zip_dates_begin(self, make_result) -> None:
        file = io.BytesIO()
        writer = NpzWriter(file, WriteStyle())
        writer.add(make_result([1, 2, 3], dataset="m"))
        writer.finish()
        with zipfile.ZipFile(file) as written:
            assert [m.date_time for m in written.infolist()] == [(1980, 1, 1, 0, 0, 0)]
            assert [m.filename for m in written.infolist()] == ["m.npy"]

    def test_abandoned_half_way_the_archive_is_closed(self, make_result) -> None:
        writer = NpzWriter(io.BytesIO(), WriteStyle())
        first = make_result(np.zeros((2, 1, 1, 3)), dataset="m", axes="NHWC")
        writer.add(replace(first, rows=9))
        writer.abandon()
        assert writer._zip.fp is None

    def test_a_full_disk_leaves_nothing_that_complains_later(self, make_result) -> None:
        class Full(io.BytesIO):
            full = False

            def write(self, data: object) -> int:
                if self.full:
                    raise OSError(28, "No space left on device")
                return super().write(data)  # type: ignore[arg-type]

        file = Full()
        writer = NpzWriter(file, WriteStyle())
        writer.add(make_result([1, 2, 3], dataset="m"))
        file.full = True
        with pytest.raises(OSError, match="No space left"):
            writer.add(make_result([1, 2, 3], dataset="n"))
        writer.abandon()
        del writer  # an error in __del__ would fail this test


def test_a_view_skips_the_members_that_it_does_not_fit(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    np.savez(tmp_path / "a.npz", maps=np.zeros((3, 4, 5), "u2"), labels=np.arange(10.0))
    with NpzReader(str(tmp_path / "a.npz"), Access(view="bfloat16")) as reader:
        maps, labels = reader.arrays()
    assert not maps.refusal
    assert labels.refusal == "is float64; --view bfloat16 takes uint16, or bytes of that size"
    assert not labels.broken
