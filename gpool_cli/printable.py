"""Names from files and file systems as text that is safe to show: data, never a command."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with everything that is not a visible character escaped.

    Control characters, bidirectional controls, line breaks and the lone surrogates that stand for
    undecodable bytes become ``\x1b``, ``\u202e``, ``\n``, ``\udcff``.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
