"""The sample data is what its README says, and small."""

import re
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.cli.main import run

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"


def test_it_is_small():
    sizes = {path.name: path.stat().st_size for path in SAMPLES.iterdir()}
    assert sum(sizes.values()) < 4_000_000
    assert sizes["lite0_head.h5"] < 3_000_000


def test_every_file_is_in_its_readme_with_its_size():
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `([\w.]+)` \|.*\| ([\d,]+) \|[^|]*\|$", text, re.MULTILINE)
    there = {path.name: path.stat().st_size for path in SAMPLES.iterdir()}
    del there["README.md"]
    assert {name: int(size.replace(",", "")) for name, size in said} == there


def test_all_of_it_is_pooled_without_a_warning(tmp_path, capsys):
    assert run(["avg", str(SAMPLES), "-o", str(tmp_path / "pooled")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "lite0_head.h5:weights (1000x1280): has 2 axes" in said.out


def test_the_picture_in_the_readme_is_what_gpool_makes(tmp_path):
    image = pytest.importorskip("PIL.Image")
    head = ["--head", str(SAMPLES / "lite0_head.h5"), "--class", "285"]
    made = tmp_path / "cam.png"
    words = ["--image", str(SAMPLES / "chelsea.png"), "-o", str(made)]
    assert run(["cam", str(SAMPLES / "chelsea_hwc.npy"), *head, *words]) == 0
    pixels = [np.asarray(image.open(path)) for path in (made, SAMPLES / "chelsea_cam.png")]
    np.testing.assert_array_equal(*pixels)
