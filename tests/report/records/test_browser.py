"""The page in a browser: it renders, sorts, filters, and runs nothing from a file's name."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gpool_cli.cli.main import run
from gpool_cli.events import Pooled
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, Failed, InputFile
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.report.records.interface import Ending
from gpool_cli.report.records.items import LISTS
from gpool_cli.report.records.page import PageForm
from gpool_cli.sketch import Sketch
from gpool_cli.tally import Tally

MARK = "window.hostile = 1"
HOSTILE = [
    f"</script><script>{MARK}</script>.npy",
    f"<img src=x onerror='{MARK}'>",
    f'"><svg onload="{MARK}">',
    f"<!--<script>{MARK}</script>",
    f"javascript:{MARK}",
    f"${{{MARK}}} `{MARK}` @FACTS@ @TIMES@ @SCRIPT@",
    "\u202egpj.exe \u2028\u2029 \x00 \x1b[31m &lt;b&gt;",
    "\udcff\ud800 \U0001f600 \u05d0\u05d1",
    "'; alert(1); //",
    "long/" + "x" * 100_000,
]


def pooled(name: str, number: int, where: str = "") -> Pooled:
    """A result whose figures follow from a number."""
    info = ArrayInfo("", (4, 4, 8), np.dtype("float32"))
    cells = np.arange(8.0) * (number % 5)
    return Pooled(
        file=InputFile(name, name),
        info=info,
        layout=Layout("HWC", "default"),
        pooling=PoolingSpec("avg"),
        shape=(1, 1, 8),
        dtype="float32",
        low=0.0,
        mean=float(number * 7919 % 10007),
        high=1.0,
        nan_values=0,
        preview=(),
        where=where,
        sketch=Sketch(cells, cells == 0, 1),
    )


def write_page(path: Path, events: list) -> Path:
    """The page of a run in which all this happened."""
    form = PageForm(Recipe((PoolingSpec("avg"),)))
    lists = {name: [] for name in LISTS}
    for event in events:
        for name, item in form.items(event):
            lists[name].append(item)
    tally = Tally(maps=len(events), seconds=1.5, bytes_in=1)
    data = {name: [",\n".join(items).encode()] for name, items in lists.items()}
    path.write_bytes(b"".join(form.parts(Ending(tally, 0), data)))
    return path


def column(browser, name: str, section: str = "results") -> list[str]:
    """The texts of a column as far as it is shown."""
    cells = f"document.querySelectorAll('#{section} td[data-name=\"{name}\"]')"
    return browser.value(f"Array.from({cells}, cell => cell.textContent)")


def status(browser, section: str = "results") -> str:
    return browser.value(f"document.querySelector('#{section} .status').textContent")


def click(browser, text: str, section: str = "results") -> None:
    buttons = f"[...document.querySelectorAll('#{section} button')]"
    browser.value(f"{buttons}.find(button => button.textContent === '{text}').click()")


def fill(browser, text: str, section: str = "results") -> None:
    browser.value(f"document.querySelector('#{section} input').select()")
    browser.type(text)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page of a real run with failures, a warning and something skipped."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("t")
    for number in range(12):
        values = np.full((3, 3, 5), 1 + number * 5 % 12, "f4")
        values[..., 2] = 0
        np.save(f"t/map_{number}.npy", values)
    Path("t/bad.npy").write_bytes(b"bad")
    np.savez("t/z.npz", names=np.array(["a"]))
    np.save("t/chw.npy", np.ones((64, 5, 5), "f4")[:, :, :])
    words = ("max", "t", "nope.npy", "-o", "out", "--quiet", "--report", "r.html")
    assert run([*words, "--report", "r.json"]) == 1
    return Path("r.html")


def test_it_shows_what_the_record_for_machines_says(page, look):
    browser = look(page)
    said = json.loads(Path("r.json").read_text())
    assert sorted(column(browser, "source")) == sorted(r["source"] for r in said["results"])
    assert column(browser, "mean") == [f"{r['mean']:g}" for r in said["results"]]
    assert column(browser, "zero channels") == ["0", *["1"] * 12]
    for name, other in (("message", "message"), ("what to do", "hint")):
        assert column(browser, name, "failures") == [f[other] for f in said["failures"]]
    assert column(browser, "source", "skipped") == ["t/z.npz:names", "t/z.npz"]
    assert "--layout CHW" in column(browser, "message", "warnings")[0]
    top = browser.value("document.querySelector('header').textContent")
    assert "2 failed" in top
    totals = "Array.from(document.querySelectorAll('.totals div'), one => one.innerText)"
    assert "maps\n13" in browser.value(totals)


def test_channels_that_are_0_are_counted(look, tmp_path):
    browser = look(write_page(tmp_path / "r.html", [pooled(f"{i}", i) for i in range(10)]))
    cells = "document.querySelectorAll('.zeros tbody .number')"
    # Channel 0 is 0 always, the others in two of ten maps.
    counts = browser.value(f"Array.from({cells}, c => c.textContent)")
    assert counts == ["0", "0", "0", "7", "0", "0", "0", "0", "0", "0", "0", "1"]
    assert "1 of 8 channels is 0 in every result" in browser.value("document.body.textContent")


def test_it_sorts_by_numbers_and_by_names_as_people_count(page, look):
    browser = look(page)
    click(browser, "mean")
    means = [float(text) for text in column(browser, "mean")]
    assert means == sorted(means, reverse=True)
    sort = "document.querySelector('#results [aria-sort]')"
    assert browser.value(f"{sort}.getAttribute('aria-sort')") == "descending"
    click(browser, "mean")
    assert [float(text) for text in column(browser, "mean")] == means[::-1]
    click(browser, "source")
    assert column(browser, "source")[1:4] == ["t/map_0.npy", "t/map_1.npy", "t/map_2.npy"]
    assert column(browser, "source")[-1] == "t/map_11.npy"
    assert browser.value("document.querySelectorAll('#results [aria-sort]').length") == 1


def test_it_filters_by_words(page, look):
    browser = look(page)
    fill(browser, "MAP_1 npy")
    assert column(browser, "source") == ["t/map_1.npy", "t/map_10.npy", "t/map_11.npy"]
    assert status(browser) == "3 of 13 results"
    fill(browser, "nothing has this")
    assert (column(browser, "source"), status(browser)) == ([], "0 of 13 results")
    fill(browser, " ")
    assert status(browser) == "13 results"


def test_the_keyboard_is_enough(page, look):
    browser = look(page)
    browser.value("document.querySelector('#results input').focus()")
    for _ in range(3):  # past the region that scrolls and the first header
        browser.press("Tab")
    assert browser.value("document.activeElement.textContent") == "channels"
    browser.press("Enter")
    sort = "document.activeElement.closest('th').getAttribute('aria-sort')"
    assert browser.value(sort) == "descending"


def test_a_picture_is_dark_where_a_channel_is_0_and_pink_where_it_is_nan(look, tmp_path):
    one = pooled("a", 1)
    cells = np.array([0.0, 7.0, np.nan, np.inf])
    events = [Pooled(**{**vars(one), "sketch": Sketch(cells, cells == 0, 1)}), one]
    browser = look(write_page(tmp_path / "r.html", events))
    pixels = browser.value(
        "Array.from(document.querySelector('td .strip').getContext('2d')"
        ".getImageData(0, 0, 4, 1).data)"
    )
    assert [pixels[i : i + 3] for i in range(0, 16, 4)] == [
        [0x44, 0x01, 0x54],
        [0xFD, 0xE7, 0x25],
        [255, 0, 255],
        [0xFD, 0xE7, 0x25],
    ]


@pytest.mark.parametrize("width", [1280, 375])
def test_a_hostile_name_runs_nothing_and_breaks_nothing(look, tmp_path, width):
    events = [pooled(name, i, where=name) for i, name in enumerate(HOSTILE)]
    events += [Failed(InputFile(name, name), name, name, name) for name in HOSTILE]
    browser = look(write_page(tmp_path / "r.html", events), width)
    assert browser.value("window.hostile") is None
    assert browser.value("document.scripts.length") == 3
    assert browser.value("document.querySelectorAll('img, iframe, object, a').length") == 0
    names = column(browser, "source")
    assert names[0] == HOSTILE[0]
    assert names[6] == r"\u202egpj.exe \u2028\u2029 \x00 \x1b[31m &lt;b&gt;"
    assert names[7].startswith(r"\udcff\ud800")
    assert len(names[9]) == 1000
    for number, name in enumerate(HOSTILE[:6]):
        assert column(browser, "message", "failures")[number] == name
    fill(browser, "onerror")
    assert column(browser, "source") == [HOSTILE[1]]
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.value(overflow) == 0


def test_even_markup_that_came_into_the_page_would_run_nothing(page, look):
    text = page.read_text()
    assert "<main" in text
    hostile = f"<script>{MARK}</script><img src=x onerror='{MARK}'><main"
    page.write_text(text.replace("<main", hostile, 1))
    browser = look(page)
    assert browser.value("window.hostile") is None
    assert "Content Security Policy" in "".join(browser.said)
    assert column(browser, "source") != []
    browser.said.clear()  # It is the test that did it.


def test_ten_thousand_rows_stay_usable(look, tmp_path):
    events = [pooled(f"maps/{number:05}.npy", number) for number in range(10_000)]
    browser = look(write_page(tmp_path / "r.html", events))
    nodes = "document.getElementsByTagName('*').length"
    assert browser.value(nodes) < 3000
    assert status(browser) == "1 to 100 of 10,000 results"
    click(browser, "Next")
    assert column(browser, "source")[0] == "maps/00100.npy"
    click(browser, "Last")
    assert column(browser, "source")[-1] == "maps/09999.npy"
    click(browser, "mean")
    means = sorted((event.mean for event in events), reverse=True)
    assert column(browser, "mean") == [f"{mean:,.0f}" for mean in means[:100]]
    fill(browser, "0999")
    assert status(browser) == "11 of 10,000 results"
    assert browser.value(nodes) < 3000


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_stands_out_of_the_window(page, look, width):
    browser = look(page, width)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_a_run_in_which_nothing_was_found(look, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("t")
    assert run(["max", "t", "--report", "r.html", "--quiet"]) == 1
    browser = look("r.html")
    assert "nothing done" in browser.value("document.body.textContent")
    assert browser.value("document.querySelectorAll('#report table').length") == 0
