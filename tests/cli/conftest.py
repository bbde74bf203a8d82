"""The command line in this process, and maps to feed it."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from gpool_cli.cli.main import run


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    data: bytes
    err: str

    @property
    def out(self) -> str:
        return self.data.decode()

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is the current one, in an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("GPOOL_LAYOUT", "GPOOL_SUMMARY", "GPOOL_JOBS", "GPOOL_MAX_MEMORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def gpool(capsysbinary: pytest.CaptureFixture[bytes], here: Path) -> Callable[..., Ran]:
    """Run gpool with these words; a traceback is never what it says."""

    def call(*words: object) -> Ran:
        code = run([str(word) for word in words])
        said = capsysbinary.readouterr()
        ran = Ran(code, said.out, said.err.decode())
        assert "Traceback" not in ran.err
        return ran

    return call


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return put


@pytest.fixture
def save(here: Path) -> Callable[..., np.ndarray]:
    """Save a map of random numbers in the format of its suffix, and hand it back."""
    rng = np.random.default_rng(7)

    def make(
        name: str,
        shape: tuple[int, ...] = (4, 5, 3),
        dtype: str = "float32",
        dataset: str = "features",
    ) -> np.ndarray:
        values = (rng.normal(size=shape) * 10).astype(dtype)
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, values)
        elif path.suffix == ".npz":
            np.savez(path, **{dataset: values})
        else:
            with h5py.File(path, "w") as file:
                file[dataset] = values
        return values

    return make
