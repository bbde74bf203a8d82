"""Every reader over the network: the contract's values, from no more bytes than the file has."""

from pathlib import Path

import pytest

from gpool_cli.formats import load_reader
from tests.contracts.test_readers import EVERY_KIND, assert_same, some, together
from tests.servers.store import Store

ONE_FILE = [kind for kind in EVERY_KIND if not kind.values[0].marks]


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "whole"])
@pytest.mark.parametrize(("row", "write"), ONE_FILE)
def test_values_come_over_the_network(  # type: ignore[no-untyped-def]
    store: Store, tmp_path: Path, row, write, ranges: bool
) -> None:
    arrays = [some((4, 50, 60, 7), ">f4", 1), some((3, 200, 64), "u1", 2), some((2, 3, 5), "f8")]
    path = tmp_path / f"a{row.suffixes[0]}"
    write(path, arrays)
    data = store.files[f"b/{path.name}"] = path.read_bytes()
    store.ranges = ranges
    with load_reader(row)(f"{store.url}/b/{path.name}") as reader:
        for info, expected in zip(list(reader.arrays()), arrays, strict=True):
            assert_same(together(info, reader.blocks(info)), expected)
    assert not ranges or store.bytes_asked <= len(data)
