"""gpool against the answers of ONNX, ONNX Runtime, Keras, PyTorch and a real network."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpool_cli.cli.main import run

CASES = Path(__file__).parent / "cases"
MANIFEST = json.loads((CASES / "manifest.json").read_text(encoding="utf-8"))["cases"]
RUN_HERE = [case for case in MANIFEST if case["scope"] in {"core", "rank", "nonfinite"}]


@pytest.mark.parametrize("case", RUN_HERE, ids=lambda case: case["case"])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    layout = case["layout"] if case["scope"] == "core" else case["axes"]
    command = [case["op"], str(CASES / case["input"]), "--layout", layout, "-o", str(out)]
    if case["key"]:
        command += ["--key", case["key"]]

    assert run(command) == 0

    got = np.load(out)
    expected = np.load(CASES / case["expected"])
    bound = case.get("strict", case["tolerance"])
    assert list(got.shape) in case["accept_shapes"]
    np.testing.assert_allclose(
        got.astype(np.float64).ravel(), expected.astype(np.float64).ravel(), **bound
    )


def test_no_case_was_lost() -> None:
    scopes = Counter(case["scope"] for case in MANIFEST)
    assert scopes == {"core": 198, "rank": 45, "ops": 32, "nonfinite": 6, "mask": 4}


def test_every_file_belongs_to_a_case() -> None:
    named = {CASES / case[role] for case in MANIFEST for role in ("input", "expected")}
    assert {p for p in CASES.rglob("*") if p.is_file()} == named | {CASES / "manifest.json"}
