"""The summary of a run, on streams of any width."""

import io

import numpy as np
import pytest
from rich.cells import cell_len

from gpool_cli.events import Pooled
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Skipped
from gpool_cli.recipe import PoolingSpec
from gpool_cli.report import width as width_module
from gpool_cli.report.summary import Summary
from gpool_cli.tally import Tally


def pooled(name: str, **changes) -> Pooled:
    said = {
        "file": InputFile(f"maps/{name}", name),
        "info": ArrayInfo("", (7, 7, 1280), np.dtype("float32")),
        "layout": Layout("HWC", "default"),
        "pooling": PoolingSpec("avg"),
        "shape": (1, 1, 1280),
        "dtype": "float32",
        "low": 0.0,
        "mean": 0.1234567,
        "high": 5.5,
        "nan_values": 0,
        "preview": (0.25, 1234.5678, 3.0, 4.0),
        "where": f"out/{name}",
    }
    return Pooled(**{**said, **changes})


@pytest.fixture
def show(monkeypatch):
    def call(events, width=80, preview=False) -> list[str]:
        monkeypatch.setattr(width_module, "PLAIN_WIDTH", width)
        summary = Summary(preview)
        for event in events:
            summary.add(event)
        stream = io.StringIO()
        summary.print_full(stream, Tally(maps=len(events), files=len(events)))
        return [line.rstrip() for line in stream.getvalue().splitlines()]

    return call


MIXED = [
    pooled("a.npy"),
    pooled("b.npy", info=ArrayInfo("", (11, 7, 640), np.dtype("float16")), shape=(1, 1, 640)),
    pooled(
        "some/deep/path/to/c.h5",
        info=ArrayInfo("features", (1280, 7, 7), np.dtype("float64")),
        layout=Layout("CHW", "file"),
        nan_values=3,
        low=-2.0,
        mean=-1.5e-9,
        high=7.0,
    ),
]


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits_and_shows_what_matters(show, width, preview):
    lines = show(MIXED, width, preview)
    assert max(map(cell_len, lines[:-1])) <= width
    names = lines[0].split()
    assert "layout" in names
    assert ("values" in names) == preview
    assert "c.h5:features" in lines[4]
    assert len(names) <= (6 if width <= 80 else 12)
    if width == 200:
        assert {"min", "mean", "max", "NaN", "dtype", "output", "written"} <= set(names)


def test_constant_columns_are_in_the_caption(show):
    lines = show([pooled("a.npy"), pooled("b.npy", high=7.0)])
    assert lines[0].split() == ["source", "max", "written", "to"]
    assert lines[4] == "all: shape 7x7x1280 · layout HWC (default) · dtype float32 · pooling avg"
    assert lines[5] == "output 1x1x1280 · min 0 · mean 0.123457"


def test_a_long_run_shows_ten_at_each_end(show):
    lines = show([pooled(f"{i:04}.npy", high=float(i)) for i in range(1000)])
    names = [line.split()[0] for line in lines[2:23]]
    assert names[:10] == [f"{i:04}.npy" for i in range(10)]
    assert lines[12] == "… 980 more"
    assert names[11:] == [f"{i:04}.npy" for i in range(990, 1000)]


def test_twenty_are_shown_whole(show):
    assert not any("more" in line for line in show([pooled(f"{i}.npy") for i in range(20)]))
    assert any("… 1 more" in line for line in show([pooled(f"{i}.npy") for i in range(21)]))


def test_what_differs_only_in_the_middle_is_not_called_the_same(show):
    events = [pooled(f"{i}.npy") for i in range(100)]
    events[50] = pooled("50.npy", layout=Layout("CHW", "file"), low=-1.0)
    lines = show(events)
    assert "layout" in lines[0]
    caption = next(line for line in lines if line.startswith("all:"))
    assert "shape 7x7x1280" in caption
    assert "layout" not in caption
    assert "min" not in caption


def test_where_the_layout_came_from(show):
    for origin, said in (("flag", "--layout"), ("file", "file"), ("default", "default")):
        assert f"HWC ({said})" in show([pooled("a.npy", layout=Layout("HWC", origin))])[2]


def test_nan_has_a_column_where_there_is_any(show):
    assert "NaN" not in show([pooled("a.npy"), pooled("b.npy", shape=(1,))])[0]
    assert "NaN" in show([pooled("a.npy"), pooled("b.npy", nan_values=2)])[0]
    everything = pooled("a.npy", low=None, mean=None, high=None, nan_values=1280)
    assert "1,280" in show([everything])[2]


def test_poolings_are_told_apart(show):
    lines = show([pooled("a.npy"), pooled("a.npy", pooling=PoolingSpec("max"), high=9.0)])
    assert lines[0].split()[:2] == ["source", "pooling"]


def test_the_preview_takes_the_room_there_is(show):
    events = [pooled("a.npy"), pooled("b.npy", preview=(7.0,), shape=(1, 1, 1))]
    assert "0.25 … (1,280)" in show(events, 60, True)[2]
    assert "0.25 1234.57 3 4 … (1,280)" in show(events, 120, True)[2]
    assert show(events, 80, True)[3].split()[2] == "7"
    assert "…" not in show(events, 80, True)[3]


def test_skips_are_listed_up_to_ten(show):
    info = ArrayInfo("names", (3,), None)
    skips = [Skipped(InputFile(f"{i}.h5", f"{i}.h5"), "names", "strings", info) for i in range(30)]
    lines = show(skips)
    assert lines[0] == "skipped 0.h5:names (3): strings"
    assert lines[9:11] == ["skipped 9.h5:names (3): strings", "skipped 20 more"]


def test_names_can_not_command_the_terminal(show):
    evil = "a\x1b[31m\n\u202e.npy"
    info = ArrayInfo("x\x07", (7, 7, 3), np.dtype("float32"))
    lines = show([pooled(evil, info=info), Skipped(InputFile(evil, evil), evil, "no\x1b")], 200)
    assert not set("\x1b\x07\u202e") & set("".join(lines))
    assert r"a\x1b[31m\n\u202e.npy:x\x07" in lines[2]
