"""Patterns for names in containers."""

import numpy as np
import pytest

from gpool_cli.batch.select import matcher, select
from gpool_cli.errors import InputError
from gpool_cli.model import ArrayInfo


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
        ("[z-a]", "[z-a]", True),
        ("[z-a]", "b", False),
        ("[[a]*", "[b", True),
        ("[[a]*", "ab", True),
        ("[!]", "[!]", True),
        ("[a-c]", "b", True),
        ("[a-]", "-", True),
        ("[&&||~~]", "&", True),
        ("a[!x]b/c", "a/b/c", False),
        ("a[.-0]b/c", "a/b/c", False),
        ("*", "a\nb", True),
        ("a\\d", "a1", False),
    ],
)
def test_patterns(pattern, name, fits):
    assert matcher(pattern)(name) == fits


def info(name: str, *shape: int, file_layout: str | None = None) -> ArrayInfo:
    return ArrayInfo(name, shape, np.dtype("f4"), file_layout=file_layout)


def test_the_files_own_layout_does_not_choose():
    """A netCDF file labels also its coordinates: lon(y, x)."""
    infos = [info("lon", 4, 5, file_layout="YX"), info("m", 4, 5, 3, file_layout="YXC")]
    chosen = select(infos, [], None, True)
    assert [one.dataset for one, _ in chosen.maps] == ["m"]
    assert [(one.dataset, why) for one, why in chosen.skipped] == [
        ("lon", "has 2 axes, not 3 to 5")
    ]


@pytest.mark.parametrize(
    ("key", "hides"),
    [
        ("x", True),
        ("*", True),
        ("db/x", True),
        ("/db/one/x", True),
        ("d*/x", True),
        ("db/**", True),
        ("**/x", True),
        ("query/x", False),
        ("query/**", False),
        ("db", True),
        ("d/x", False),
        ("d[b/]/x", True),
        ("q[/x", False),
    ],
)
def test_what_cannot_be_opened_fails_where_it_may_hide_what_was_asked_for(key: str, hides: bool):
    db = ArrayInfo("db", (), None, "can't be opened", "link", broken=True, closed=True)
    arrays = [db, info("query/y", 2, 2, 3)]
    chosen = select(arrays, [key, "query/y"], None, True, named=False)
    assert [one.dataset for one, _ in chosen.failed] == ["db"] * hides
    assert [one.dataset for one, _ in chosen.maps] == ["query/y"]
    if hides:
        chosen = select(arrays[:1], [key], None, True)
        assert [one.dataset for one, _ in chosen.failed] == ["db"]
        # One that is there by that name is all that is meant.
        exact = [*arrays, info(key.strip("/"), 2, 2, 3)]
        assert key == "db" or not select(exact, [key], None, True).failed


@pytest.mark.parametrize("key", ["x", "db/*/x", "**/x", "/db/x"])
def test_all_that_is_asked_for_may_be_in_a_root_that_cannot_be_opened(key: str):
    root = ArrayInfo("", (), None, "can't be listed", "link", broken=True, closed=True)
    chosen = select([root], [key], None, True, named=False)
    assert ([one.dataset for one, _ in chosen.failed], chosen.nothing) == ([""], "")
    assert chosen.failed[0][1].hint == "copy or save the file again"


def test_what_may_hide_something_tells_how_to_do_without_it():
    db = ArrayInfo("db/x", (), None, "can't be opened", "link", broken=True, closed=True)
    ((_, hides),) = select([db, info("m", 2, 2, 3)], ["*m"], None, True).failed
    assert hides.hint == "'*m' may be in it: copy the file again, or give more of the path"
    ((_, way),) = select([db], ["db/x/y"], None, True).failed
    assert way.hint == "copy or save the file again"
    ((_, is_it),) = select([db], ["x"], None, True).failed
    assert is_it.hint == "copy or save the file again"


def test_a_pattern_that_matches_nothing():
    infos = [info("m", 4, 5, 3)]
    with pytest.raises(InputError, match="holds nothing named 'x'"):
        select(infos, ["x"], None, True)
    with pytest.raises(InputError, match="holds nothing named 'x'"):
        select(infos, ["m", "x"], None, True)
    chosen = select(infos, ["x"], None, True, named=False)
    assert (chosen.maps, chosen.failed) == ([], [])
    assert chosen.nothing == "holds nothing named 'x'"
    chosen = select(infos, ["x", "m"], None, True, named=False)
    assert (len(chosen.maps), chosen.nothing) == (1, "")


@pytest.mark.parametrize(
    ("refusal", "broken", "hint"),
    [
        ("is a link to another file, which only --follow-external follows", True, ""),
        ("can't be opened: bad heap", True, "copy or save the file again"),
        ("holds strings", False, "nothing in it can be pooled"),
    ],
)
def test_the_hint_fits_the_refusal(refusal: str, broken: bool, hint: str) -> None:
    info = ArrayInfo("a", (2, 2, 3), None, refusal, broken=broken)
    ((_, error),) = select([info], ("a",), None, container=True).failed
    assert (error.message, error.hint) == (refusal, hint)
