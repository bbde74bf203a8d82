"""What tests of every part share."""

import gc
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.store import Store, serving

# A crowded machine is no failure, and a run that fails can be run again as it was.
settings.register_profile("gpool", deadline=None, derandomize=True)
settings.load_profile("gpool")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no search for garbage goes through it again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Processes that tests start compile gpool once for all of them, workers too.

    Where the shell forbids bytecode in the checkout, each would compile what it needs again.
    """
    if not sys.dont_write_bytecode:
        yield
        return
    place = str(tmp_path_factory.mktemp("bytecode"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", False)
        patch.setattr(sys, "pycache_prefix", place)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", place)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_disks() -> Iterator[None]:
    """What is flushed is not waited for: no test pulls the plug. A bad descriptor still fails.

    Tests of what is flushed, and of flushes that fail, put their own in its place.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None if os.fstat(file) else None)
        yield


@pytest.fixture(scope="session")
def s3_described_once() -> Iterator[None]:
    """All clients share what they know of S3; each would read two megabytes of JSON anew."""
    loaders = pytest.importorskip("botocore.loaders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "create_loader", cache(loaders.create_loader))
        yield


# File systems that tests are done with.
closed: list[object] = []


@pytest.fixture
def store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_described_once: None
) -> Iterator[Store]:
    """A server of objects and files; what speaks S3 speaks to it, with keys that open nothing."""
    fsspec = pytest.importorskip("fsspec")
    s3fs = pytest.importorskip("s3fs")
    from gpool_cli.remote import calls, file

    for name, value in {
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(calls, "WAITS", (0.01, 0.02, 0.05))
    monkeypatch.setattr(file, "_last", None)
    with serving() as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield served
        s3fs.S3FileSystem.clear_instance_cache()
        fsspec.get_filesystem_class("http").clear_instance_cache()
        # What is let go of would be taken apart by a worker that is forked later: it waits for the
        # event loop, which does not run there.
        for files in calls._kept.values():
            session = getattr(files, "_s3creator", None) or getattr(files, "_session", None)
            if session is not None:
                files.close_session(files.loop, session)
        closed.extend(calls._kept.values())
        calls._kept.clear()
