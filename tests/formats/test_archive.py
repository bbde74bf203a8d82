"""A zip archive whose list of members is larger than memory."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from gpool_cli.access import Access
from gpool_cli.errors import InputError
from gpool_cli.formats import load_reader, row_named
from gpool_cli.formats.archive import open_archive
from tests.making import pt

SMALL = Access(max_memory=1 << 20)


def crowded(data: bytes, count: int) -> bytes:
    """An archive that lists so many more members than it has."""
    end = data.rfind(b"PK\x05\x06")
    size, start = struct.unpack("<LL", data[end + 12 : end + 20])
    fields = (b"PK\x01\x02", *[0] * 9, 1, *[0] * 6)
    more = b"".join(struct.pack("<4s6H3L5H2L", *fields) + b"x" for _ in range(count))
    ending = struct.pack("<LL", size + len(more), start)
    return data[:end] + more + data[end : end + 12] + ending + data[end + 20 :]


def test_members_are_read_past_the_bound(tmp_path: Path) -> None:
    values = bytes(3 << 20)
    with zipfile.ZipFile(tmp_path / "a", "w") as made:
        made.writestr("x", values)
    with open(tmp_path / "a", "rb", buffering=0) as file, open_archive(file, SMALL) as archive:
        assert archive.read("x") == values


@pytest.mark.parametrize("name", ["npz", "pt"])
def test_a_list_of_members_without_end(name: str, tmp_path: Path) -> None:
    data = io.BytesIO(pt.archive(pt.dict_of({}), {})).getvalue()
    path = tmp_path / f"a.{name}"
    path.write_bytes(crowded(data, 30_000))
    with pytest.raises(InputError, match="lists its members in") as caught:
        load_reader(row_named(name))(str(path), SMALL)
    assert "--max-memory" in caught.value.hint
    path.write_bytes(crowded(data, 0))
    load_reader(row_named(name))(str(path), SMALL).close()
