"""The process beside a worker of a cluster, as the cluster's worker asks it."""

import os
import pickle
from pathlib import Path

import pytest

from gpool_cli import __version__
from gpool_cli.batch.executors import Limits
from gpool_cli.batch.executors.station import work_here


def test_freed_memory_is_kept_whatever_the_cluster_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setenv("OF_THE_CLUSTER", "kept")
    names = ("MALLOC_TRIM_THRESHOLD_", "OF_THE_CLUSTER")
    calls = [pickle.dumps((os.getenv, (name,), {})) for name in names]
    answers = [work_here(__version__, str(tmp_path), Limits(), call) for call in calls]
    assert [pickle.loads(answer) for answer in answers] == [None, "kept"]
