"""The totals of a run, on streams of any width."""

import io

import pytest

from gpool_cli.report import width as width_module
from gpool_cli.report.totals import print_totals
from gpool_cli.tally import Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def show(monkeypatch):
    def call(tally, width=80, stream=None) -> list[str]:
        monkeypatch.setattr(width_module, "PLAIN_WIDTH", width)
        stream = stream or io.StringIO()
        print_totals(stream, tally)
        return stream.getvalue().splitlines()

    return call


def test_totals(show):
    tally = Tally(
        maps=1_234_567,
        files=2_000_000,
        failed_files=3,
        bytes_in=251_000_000_000,
        bytes_out=5_120_000,
        seconds=1000.0,
        skipped=12,
    )
    assert show(tally, 200, Terminal()) == [
        "1,234,567 maps of 2,000,000 files · 251 GB in · 5.12 MB out · 16 min 40 s · 251 MB/s · "
        "12 skipped · 3 failed"
    ]
    # What is redirected is the same for the same input.
    assert show(tally) == [
        "1,234,567 maps of 2,000,000 files · 251 GB in · 5.12 MB out · 12 skipped · 3 failed"
    ]


def test_totals_on_a_narrow_terminal_break_between_their_parts(show):
    tally = Tally(maps=1234, files=2000, bytes_in=10**9, seconds=10.0, skipped=12)
    assert show(tally, stream=Terminal()) == [
        "1,234 maps of 2,000 files · 1 GB in · 10 s · 100 MB/s · 12 skipped · 0 failed"
    ]
    assert show(tally, 60, Terminal()) == [
        "1,234 maps of 2,000 files · 1 GB in · 10 s · 100 MB/s",
        "12 skipped · 0 failed",
    ]


def test_special_values_are_counted(show):
    tally = Tally(maps=1, files=1, nan_values=1200, inf_values=1, omitted=7)
    assert show(tally)[1] == (
        "1,200 NaN in the results · 1 infinite value in the results · 7 NaN of the inputs left out"
    )
    tally = Tally(maps=1, files=1, masked=2, empty_channels=1, clamped=3000, zero_vectors=4)
    assert show(tally)[1] == (
        "2 values of the inputs masked or missing · 1 channel without any valid value · "
        "3,000 values below eps, taken as it by gem · 4 zero vectors not normalized"
    )


@pytest.mark.parametrize(
    ("zero", "channels", "said"),
    [
        (815, 1280, ["815 of 1,280 channels are 0 in every result"]),
        (1, 3, ["1 of 3 channels is 0 in every result"]),
        (1, 1, ["the only channel is 0 in every result"]),
        (0, 1280, []),
    ],
)
def test_channels_that_are_zero_throughout_are_counted(show, zero, channels, said):
    tally = Tally(maps=1, files=1, channels=channels, zero_channels=zero)
    assert show(tally)[1:] == said
    tally.done_before = 1
    assert show(tally)[1:] == []
