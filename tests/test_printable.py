import pytest

from gpool_cli.printable import printable


@pytest.mark.parametrize("text", ["", "maps/a b.npy", "Köln/特徴.npy", "emoji 🐟", "back\\slash"])
def test_visible_text_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u200b\u2066", r"\u200b\u2066"),
        ("caf\udce9.npy", r"caf\udce9.npy"),
        ("\x9b2J", r"\x9b2J"),
        ("\x00", r"\x00"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_everything_else_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()
    printable(text).encode("utf-8")
