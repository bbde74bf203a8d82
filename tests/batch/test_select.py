"""Patterns for names in containers."""

import pytest

from gpool_cli.batch.select import matches


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("x", "x", True),
        ("x", "a/x", True),
        ("x", "a/xy", False),
        ("*", "a/b/x", True),
        ("a/*", "a/x", True),
        ("a/*", "a/b/x", False),
        ("*/x", "a/b/x", False),
        ("a/**", "a/b/x", True),
        ("a/**", "a", False),
        ("**", "a/b/x", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**x", "a/b/x", True),
        ("a/**/x", "a/x", True),
        ("a/**/x", "a/b/c/x", True),
        ("a/**/x", "b/a/x", False),
        ("?", "x", True),
        ("a?x", "a/x", False),
        ("[ab]", "b", True),
        ("[!ab]", "b", False),
        ("[^a]", "^", True),
        ("x.y", "xzy", False),
        ("x+", "x+", True),
        ("x[", "x[", True),
        ("*", "a\nb", True),
        ("a\\d", "a1", False),
    ],
)
def test_patterns(pattern, name, fits):
    assert matches(pattern, name) == fits
