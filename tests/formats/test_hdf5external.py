"""Values that an HDF5 file has in other files: read where that is allowed, and never too far."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.access import Access
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.model import ArrayInfo

VALUES = np.arange(2 * 3 * 4, dtype="f4").reshape(2, 3, 4)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with an input to be, another file below it, and one outside."""
    inside = tmp_path / "in"
    (inside / "below").mkdir(parents=True)
    for path in (inside / "other.h5", inside / "below/deep.h5", tmp_path / "secret.h5"):
        with h5py.File(path, "w") as file:
            file["g/m"] = VALUES
            file.create_dataset("z", data=VALUES, chunks=(1, 3, 4), compression=1)
    return inside


def listed(path: Path) -> dict[str, ArrayInfo]:
    with Hdf5Reader(str(path), Access(follow=True)) as reader:
        return {info.dataset: info for info in reader.arrays()}


def values_of(path: Path, dataset: str) -> np.ndarray:
    with Hdf5Reader(str(path), Access(follow=True)) as reader:
        info = next(info for info in reader.arrays() if info.dataset == dataset)
        assert not info.refusal
        values = np.empty(info.shape, info.dtype)
        for block, part in reader.blocks(info):
            box = zip(block.start, block.shape, strict=True)
            values[tuple(slice(at, at + n) for at, n in box)] = part
    return values


class TestLinks:
    @pytest.mark.parametrize(
        ("file", "path", "dataset"),
        [
            ("other.h5", "/g/m", "away"),
            ("other.h5", "g", "away/m"),
            ("other.h5", "z", "away"),
            ("below/deep.h5", "/", "away/g/m"),
            ("./below/../other.h5", "z", "away"),
            ("a.h5", "own", "away"),
        ],
    )
    def test_are_followed_below_the_directory(
        self, file: str, path: str, dataset: str, tree: Path
    ) -> None:
        with h5py.File(tree / "a.h5", "w") as made:
            made["away"] = h5py.ExternalLink(file, path)
            made["own"] = VALUES
        np.testing.assert_array_equal(values_of(tree / "a.h5", dataset), VALUES)

    def test_are_seen_from_the_file_that_they_are_in(self, tree: Path) -> None:
        with h5py.File(tree / "below/deep.h5", "a") as file:
            file["up"] = h5py.ExternalLink("../other.h5", "g/m")
        with h5py.File(tree / "a.h5", "w") as file:
            file["away"] = h5py.ExternalLink("below/deep.h5", "up")
        np.testing.assert_array_equal(values_of(tree / "a.h5", "away"), VALUES)

    @pytest.mark.parametrize("path", ["soft", "/"])
    def test_soft_links_begin_at_the_root_of_their_own_file(self, path: str, tree: Path) -> None:
        with h5py.File(tree / "other.h5", "a") as file:
            file["soft"] = h5py.SoftLink("/g/m")
        with h5py.File(tree / "a.h5", "w") as file:
            file["away"] = h5py.ExternalLink("other.h5", path)
            file["g/m"] = VALUES + 1
        dataset = "away" if path == "soft" else "away/soft"
        np.testing.assert_array_equal(values_of(tree / "a.h5", dataset), VALUES)

    @pytest.mark.parametrize("file", ["../secret.h5", "{tmp}/secret.h5", "link.h5"])
    def test_never_lead_out_of_the_directory(self, file: str, tree: Path) -> None:
        (tree / "link.h5").symlink_to(tree.parent / "secret.h5")
        with h5py.File(tree / "a.h5", "w") as made:
            made["away"] = h5py.ExternalLink(file.format(tmp=tree.parent), "g/m")
        assert "which is outside of its directory" in listed(tree / "a.h5")["away"].refusal

    @pytest.mark.parametrize(
        ("file", "path", "reason"),
        [
            ("nothing.h5", "m", "which is not there"),
            ("other.h5", "nothing", "is a link to nothing, which is not there"),
            ("text.h5", "m", "can't be opened"),
            ("pipe.h5", "m", "is not a regular file"),
        ],
    )
    def test_that_lead_nowhere(self, file: str, path: str, reason: str, tree: Path) -> None:
        (tree / "text.h5").write_text("no HDF5")
        os.mkfifo(tree / "pipe.h5")
        with h5py.File(tree / "a.h5", "w") as made:
            made["away"] = h5py.ExternalLink(file, path)
        assert reason in listed(tree / "a.h5")["away"].refusal

    def test_circles_end(self, tree: Path) -> None:
        with h5py.File(tree / "a.h5", "w") as file:
            file["m"] = VALUES
            file["b"] = h5py.ExternalLink("b.h5", "/")
            file["round"] = h5py.ExternalLink("b.h5", "round")
        with h5py.File(tree / "b.h5", "w") as file:
            file["a"] = h5py.ExternalLink("a.h5", "/")
            file["round"] = h5py.ExternalLink("a.h5", "round")
        found = listed(tree / "a.h5")
        assert set(found) == {"m", "round", "b/round"}
        assert found["round"].refusal == "is a link in a circle"

    def test_groups_at_one_address_of_two_files_are_two(self, tree: Path) -> None:
        with h5py.File(tree / "a.h5", "w") as file:
            file["x"], file["y"] = (
                h5py.ExternalLink("other.h5", "g"),
                h5py.ExternalLink("below/deep.h5", "g"),
            )
        assert set(listed(tree / "a.h5")) == {"x/m", "y/m"}


class TestVirtual:
    def virtual(self, tree: Path, *sources: tuple[str, str], rows: int = 2) -> Path:
        layout = h5py.VirtualLayout((len(sources) * 2, 3, 4), "f4")
        for i, (file, name) in enumerate(sources):
            layout[2 * i : 2 * i + rows] = h5py.VirtualSource(file, name, (rows, 3, 4))
        with h5py.File(tree / "a.h5", "w") as made:
            made["own"] = VALUES
            made.create_virtual_dataset("v", layout, fillvalue=7)
        return tree / "a.h5"

    def test_is_read(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HDF5_VDS_PREFIX", "/nowhere")
        path = self.virtual(tree, ("other.h5", "g/m"), (".", "own"), ("below/deep.h5", "z"))
        np.testing.assert_array_equal(values_of(path, "v"), np.concatenate([VALUES] * 3))

    @pytest.mark.parametrize(
        ("file", "name", "reason"),
        [
            ("nothing.h5", "m", "which is not there"),
            ("other.h5", "nothing", "which is not there"),
            ("other.h5", "g", "has a source that is no dataset"),
            ("../secret.h5", "z", "outside of its directory"),
            (".", "v", "lies elsewhere itself"),
        ],
    )
    def test_is_refused_where_a_source_is_wrong(
        self, file: str, name: str, reason: str, tree: Path
    ) -> None:
        info = listed(self.virtual(tree, (file, name)))["v"]
        assert reason in info.refusal
        assert info.broken

    @pytest.mark.parametrize("taken", [slice(None), slice(1, 5)])
    def test_is_refused_where_a_source_is_too_small(self, taken: slice, tree: Path) -> None:
        layout = h5py.VirtualLayout((5, 3, 4), "f4")
        layout[taken] = h5py.VirtualSource("other.h5", "z", (5, 3, 4))[taken]
        with h5py.File(tree / "a.h5", "w") as made:
            made.create_virtual_dataset("v", layout)
        assert "is smaller than what is taken of it" in listed(tree / "a.h5")["v"].refusal


class TestExternalStorage:
    def stored(self, tree: Path, *parts: tuple[str, int, int]) -> Path:
        with h5py.File(tree / "a.h5", "w") as file:
            file.create_dataset("m", VALUES.shape, "f4", external=list(parts))
        return tree / "a.h5"

    def test_is_read_from_beside_the_file(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree.parent)
        (tree / "one.bin").write_bytes(b"head" + VALUES.tobytes()[:40])
        (tree / "below/two.bin").write_bytes(VALUES.tobytes()[40:] + b"tail")
        path = self.stored(tree, ("one.bin", 4, 40), ("below/two.bin", 0, 56))
        np.testing.assert_array_equal(values_of(path, "m"), VALUES)

    def test_never_from_outside(self, tree: Path) -> None:
        (tree.parent / "secret.bin").write_bytes(bytes(96))
        info = listed(self.stored(tree, ("../secret.bin", 0, 96)))["m"]
        assert "outside of its directory" in info.refusal

    def test_too_short(self, tree: Path) -> None:
        """HDF5 would read zeros."""
        (tree / "one.bin").write_bytes(bytes(95))
        with pytest.raises(InputError, match="its values end at byte 95 of 96"):
            values_of(self.stored(tree, ("one.bin", 0, 96)), "m")


def test_a_short_chunk_of_another_file_is_refused_too(tree: Path) -> None:
    with h5py.File(tree / "other.h5", "a") as file:
        file["z"].id.write_direct_chunk((0, 0, 0), bytes(7))
    with h5py.File(tree / "a.h5", "w") as file:
        file["away"] = h5py.ExternalLink("other.h5", "z")
    with pytest.raises(InputError, match="can't be read at"):
        values_of(tree / "a.h5", "away")


def test_nothing_is_followed_unless_asked(tree: Path) -> None:
    with h5py.File(tree / "a.h5", "w") as file:
        file["away"] = h5py.ExternalLink("other.h5", "z")
    with Hdf5Reader(str(tree / "a.h5")) as reader:
        (info,) = reader.arrays()
    assert info.refusal == "is a link to another file, which only --follow-external follows"


class TestWhatHdf5WouldSeekElsewhere:
    @pytest.mark.parametrize(("file", "name"), [("s%%x.h5", "m"), ("other.h5", "m%%x")])
    def test_names_that_it_reads_otherwise(self, file: str, name: str, tree: Path) -> None:
        for path in (tree / "s%%x.h5", tree / "other.h5"):
            with h5py.File(path, "a") as made:
                made["m%%x"] = VALUES
                made.require_dataset("m", VALUES.shape, "f4")
        layout = h5py.VirtualLayout(VALUES.shape, "f4")
        layout[:] = h5py.VirtualSource(file, name, VALUES.shape)
        with h5py.File(tree / "a.h5", "w") as made:
            made.create_virtual_dataset("v", layout)
        found = listed(tree / "a.h5")["v"]
        assert "has a source with a % in its name" in found.refusal

    def test_beside_a_link_to_the_input(self, tree: Path) -> None:
        """The sources of a file are beside it, not beside a link to it."""
        (tree.parent / "links").mkdir()
        with h5py.File(tree.parent / "links/other.h5", "w") as file:
            file["g/m"] = VALUES + 100
        layout = h5py.VirtualLayout((4, 3, 4), "f4")
        layout[:2] = h5py.VirtualSource("other.h5", "g/m", VALUES.shape)
        layout[2:] = h5py.VirtualSource(".", "own", VALUES.shape)
        with h5py.File(tree / "a.h5", "w") as made:
            made["own"] = VALUES
            made.create_virtual_dataset("v", layout)
        (tree.parent / "links/b.h5").symlink_to(tree / "a.h5")
        expected = np.concatenate([VALUES] * 2)
        np.testing.assert_array_equal(values_of(tree.parent / "links/b.h5", "v"), expected)

    def test_a_virtual_dataset_is_not_opened_to_know_its_shape(self, tree: Path) -> None:
        layout = h5py.VirtualLayout((2, 3, 4), "f4", maxshape=(None, 3, 4))
        source = h5py.VirtualSource("pipe.h5", "m", (2, 3, 4), maxshape=(None, 3, 4))
        layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
        with h5py.File(tree / "a.h5", "w") as made:
            made.create_virtual_dataset("v", layout)
        os.mkfifo(tree / "pipe.h5")  # Who opens it waits for ever.
        with Hdf5Reader(str(tree / "a.h5")) as reader:
            (info,) = reader.arrays()
        assert "which only --follow-external reads" in info.refusal
        assert "is not a regular file" in listed(tree / "a.h5")["v"].refusal

    def test_values_that_are_no_plain_numbers(self, tree: Path) -> None:
        (tree / "one.bin").write_bytes(bytes([1] * 24))
        with h5py.File(tree / "a.h5", "w") as file:
            file.create_dataset("m", VALUES.shape, "?", external=[("one.bin", 0, 24)])
        with pytest.raises(InputError, match="that are no plain numbers"):
            values_of(tree / "a.h5", "m")
