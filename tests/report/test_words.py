"""Numbers, lines and consoles."""

import io
import os

import pytest

from gpool_cli.model import ArrayInfo, Failed, InputFile, Skipped, Warned
from gpool_cli.quantities import bytes_text, count_text, number_text, seconds_text
from gpool_cli.report.console import console_on
from gpool_cli.report.lines import Warnings, print_failure, skip_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (250_880, "251 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (2_650_000, "2.65 MB"),
        (10**10, "10 GB"),
        (4 * 10**12, "4 TB"),
        (5 * 10**15, "5 PB"),
    ],
)
def test_bytes(count, text):
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0072, "7 ms"),
        (0.099, "99 ms"),
        (0.0996, "0.1 s"),
        (0.254, "0.25 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (7510, "2 h 5 min"),
        (400_000, "111 h 6 min"),
    ],
)
def test_seconds(seconds, text):
    assert seconds_text(seconds) == text


def test_counts_and_numbers():
    assert [count_text(n, "map") for n in (0, 1, 2000)] == ["0 maps", "1 map", "2,000 maps"]
    assert [number_text(x) for x in (4.3125, 1 / 3, 9, 1e-12, float("nan"))] == [
        *("4.3125", "0.333333", "9", "1e-12", "nan")
    ]


def test_failures_are_one_line(capsys):
    print_failure(Failed(InputFile("a\n.h5", "a"), "x\x1b", "is\nbad", "do\rthis"))
    assert capsys.readouterr().err == "gpool: error: a\\n.h5:x\\x1b: is\\nbad (do\\rthis)\n"


def test_skips_name_place_shape_and_reason():
    file = InputFile("d/a.h5", "a.h5")
    assert skip_text(Skipped(file, "", "nothing")) == "skipped d/a.h5: nothing"
    assert skip_text(Skipped(file, "x", "no", ArrayInfo("x", (), None))) == "skipped d/a.h5:x: no"
    assert skip_text(Skipped(file, "x", "no", ArrayInfo("x", (2, 3), None))) == (
        "skipped d/a.h5:x (2x3): no"
    )


def test_warnings_are_grouped_with_their_count_and_first_file(capsys):
    warnings = Warnings()
    for i in range(1500):
        warnings.add(Warned(InputFile(f"{i}.npy", "x"), "", "layout", "looks odd"))
    warnings.add(Warned(InputFile("b.h5", "x"), "d", "layout", "looks otherwise odd"))
    warnings.print()
    assert capsys.readouterr().err.splitlines() == [
        "gpool: warning: 1,500 maps, first 0.npy: looks odd",
        "gpool: warning: b.h5:d: looks otherwise odd",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_console_follows_its_stream(monkeypatch):
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "33"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not console_on(io.StringIO()).is_terminal
    assert console_on(io.StringIO()).width == 80
    assert console_on(Terminal()).is_terminal
    assert console_on(Terminal()).width == 80
    assert not console_on(Terminal()).no_color
    monkeypatch.setenv("NO_COLOR", "")
    assert not console_on(Terminal()).no_color
    monkeypatch.setenv("NO_COLOR", "0")
    assert console_on(Terminal()).no_color
    assert os.environ["NO_COLOR"] == "0"
