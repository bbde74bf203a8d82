"""The journal of a run: what is recorded, and what becomes of it."""

import errno
import os
from pathlib import Path

import pytest

from gpool_cli.batch.journal import Journal
from gpool_cli.batch.manifest import Previous, read_previous
from gpool_cli.batch.plan import Planned
from gpool_cli.batch.resume import split_done
from gpool_cli.errors import OutputError
from gpool_cli.formats.atomic import AtomicFile, Written
from gpool_cli.model import InputFile

PARAMETERS = {"gpool": "0", "poolings": ["avg"]}


@pytest.fixture
def source(tmp_path: Path) -> InputFile:
    (tmp_path / "in").write_bytes(b"source")
    (tmp_path / "out").mkdir()
    return InputFile(str(tmp_path / "in"), "in")


def write(tmp_path: Path) -> list[Written]:
    file = AtomicFile(str(tmp_path / "out/a"))
    file.file.write(b"output")
    written = file.complete(checksum=True)
    written.put_in_place()
    return [written]


def names_in(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "out"))


@pytest.mark.parametrize("changed", [False, True])
def test_a_source_that_changes_after_it_was_seen_is_not_done(tmp_path, source, changed):
    out = str(tmp_path / "out")
    journal = Journal(out, "", PARAMETERS, Previous())
    journal.see(source)
    if changed:
        Path(source.path).write_bytes(b"another source")
    journal.add(source, write(tmp_path))
    journal.finish([source])
    journal.close()
    previous = read_previous(out)
    rest, done = split_done([Planned(source, ())], out, previous, follow=False)
    assert (len(rest), len(done)) == ((1, 0) if changed else (0, 1))


def test_a_run_that_is_cut_short_leaves_it_and_one_that_ends_its_manifest(tmp_path, source):
    out = str(tmp_path / "out")
    journal = Journal(out, "", PARAMETERS, Previous())
    journal.add(source, write(tmp_path))
    journal.close()
    assert names_in(tmp_path) == [".gpool-journal", "a"]
    journal = Journal(out, "", PARAMETERS, read_previous(out), [source])
    journal.finish([source])
    journal.close()
    assert names_in(tmp_path) == [".gpool-manifest", "a"]


def test_a_run_that_finished_nothing_leaves_none(tmp_path, source):
    Journal(str(tmp_path / "out"), "", PARAMETERS, Previous()).close()
    assert names_in(tmp_path) == []


def test_other_parameters_begin_a_new_one(tmp_path, source):
    out = str(tmp_path / "out")
    journal = Journal(out, "", PARAMETERS, Previous())
    journal.add(source, write(tmp_path))
    journal.close()
    other = {**PARAMETERS, "poolings": ["max"]}
    journal = Journal(out, "", other, read_previous(out))
    journal.add(source, write(tmp_path))
    journal.close()
    previous = read_previous(out)
    assert (previous.parameters, len(previous.entries)) == (other, 1)


@pytest.mark.parametrize("when", ["begin", "add", "finish"])
def test_no_room_for_it(tmp_path, source, monkeypatch, when):
    out = str(tmp_path / "out")

    def begin() -> Journal:
        return Journal(out, "", PARAMETERS, Previous())

    class Full:
        """A file on a full disk."""

        def write(self, *_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        truncate = flush = close = write

    if when == "begin":
        monkeypatch.setattr("builtins.open", lambda *_: Full())
        with pytest.raises(OutputError, match="can't write .*journal: No space left"):
            begin()
        return
    written = write(tmp_path)
    journal = begin()
    journal._file.close()
    monkeypatch.setattr(journal, "_file", Full())
    with pytest.raises(OutputError, match="can't write .*journal: No space left"):
        journal.add(source, written) if when == "add" else journal.finish([])
