"""An output is the old file or the whole new one."""

import os
from pathlib import Path

import pytest

from gpool_cli.errors import InputError, OutputError
from gpool_cli.formats.atomic import AtomicFile, output_errors


def names_in(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def test_the_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npy"
    output = AtomicFile(str(path))
    output.file.write(b"values")
    assert not path.exists()

    assert output.commit() == 6

    assert path.read_bytes() == b"values"
    assert names_in(path.parent) == ["a.npy"]


def test_the_old_one_stays_until_then(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"old")
    output = AtomicFile(str(path))
    output.file.write(b"new")
    output.file.flush()
    assert path.read_bytes() == b"old"
    output.commit()
    assert path.read_bytes() == b"new"


def test_discarded_it_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"old")
    output = AtomicFile(str(path))
    output.file.write(b"new")

    output.discard()
    output.discard()

    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.npy"]


def test_the_temporary_name_is_no_data_file(tmp_path: Path) -> None:
    output = AtomicFile(str(tmp_path / "a.npy"))
    (name,) = names_in(tmp_path)
    assert name.startswith(".")
    assert name.endswith(".part")
    assert list(tmp_path.glob("*.npy")) == []
    output.discard()


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    one, two = (AtomicFile(str(tmp_path / "a.npy")) for _ in range(2))
    one.file.write(b"one")
    two.file.write(b"two")
    one.commit()
    two.commit()
    assert (tmp_path / "a.npy").read_bytes() == b"two"
    assert names_in(tmp_path) == ["a.npy"]


def test_a_failed_commit_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    output = AtomicFile(str(path))
    path.mkdir()
    with pytest.raises(OutputError) as caught:
        output.commit()
    assert caught.value.message.startswith(f"can't write {path}: ")
    assert names_in(tmp_path) == ["a.npy"]


def test_a_full_disk_at_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    output = AtomicFile(str(tmp_path / "a.npy"))
    with pytest.raises(OutputError) as caught:
        output.commit()
    assert caught.value.message == f"can't write {tmp_path / 'a.npy'}: No space left on device"
    assert caught.value.hint == (
        "nothing was left half written; make room or choose another place with -o"
    )
    assert caught.value.exit_code == 3
    assert names_in(tmp_path) == []


def test_interrupted_at_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    output = AtomicFile(str(tmp_path / "a.npy"))
    with pytest.raises(KeyboardInterrupt):
        output.commit()
    assert names_in(tmp_path) == []


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(OutputError, match="can't write .*f/a.npy: "):
        AtomicFile(str(tmp_path / "f" / "a.npy"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="can't write .*a.npy: Permission denied"):
        AtomicFile(str(tmp_path / "a.npy"))


def test_no_permission_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(OutputError, match="can't write .*a.npy: Permission denied"):
        AtomicFile(str(tmp_path / "new" / "a.npy"))


def test_the_name_is_escaped() -> None:
    with (
        pytest.raises(OutputError, match=r"can't write \\x1b\[31m: why"),
        output_errors("\x1b[31m"),
    ):
        raise OSError("why")


def test_a_name_that_is_too_long_is_one_inputs_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught, output_errors("a"):
        (tmp_path / ("a" * 300)).touch()
    assert caught.value.message == "the name of its output is too long for the file system"
    assert caught.value.hint == "write to a container such as .h5 or .npz"


def test_other_errors_pass() -> None:
    with pytest.raises(BrokenPipeError), output_errors("a"):
        raise BrokenPipeError
    with pytest.raises(ValueError, match="x"), output_errors("a"):
        raise ValueError("x")
