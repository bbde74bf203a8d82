"""The class that a user means, by index, by name, or nearly."""

import pytest

from gpool_cli.errors import UsageError
from gpool_cli.head.labels import find_class, parse_labels, rank_of

LABELS = ("tench", "tabby, tabby cat", "Egyptian cat", "crane", "crane, hoist", "lynx, catamount")


def test_a_line_for_each_class():
    assert parse_labels("\ufeffa, b\r\n\r\nc\u2028d\n\n") == ("a, b", "", "c\u2028d")
    assert parse_labels("") == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [("2", 2), ("egyptian CAT", 2), ("tabby", 1), ("Tabby cat", 1), (" catamount ", 5)]
    + [("tabby, tabby cat", 1), ("hoist", 4), ("crane", 3), ("5", 5)],
)
def test_classes_by_index_and_name(text, place):
    assert find_class(text, LABELS, 6) == place


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("egiptian cat", "no class is called 'egiptian cat'", "did you mean Egyptian cat (2)"),
        ("cat", "no class is called 'cat'", "tabby cat (1)"),
        ("zebra", "no class is called 'zebra'", "give its index, or top1"),
        ("6", "there is no class 6: there are 6", "the last is 5"),
        ("-1", "no class is called '-1'", "give its index, or top1"),
        ("\x1b[2J", "no class is called '", "give its index"),
    ],
)
def test_classes_that_are_none(text, message, hint):
    with pytest.raises(UsageError) as caught:
        find_class(text, LABELS, 6)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\x1b" not in str(caught.value)


def test_a_name_of_several_classes_lists_them():
    with pytest.raises(UsageError) as caught:
        find_class("crane", ("crane, bird", "x", "crane, hoist"), 3)
    assert caught.value.message == "several classes are called crane"
    assert caught.value.hint == "choose by index: 0 crane, bird, 2 crane, hoist"


def test_a_name_without_labels():
    with pytest.raises(UsageError, match="no meaning without labels"):
        find_class("cat", (), 6)


def test_ranks():
    assert [rank_of(text) for text in ("top1", "TOP12", "top0", "top", "1")] == [1, 12, *[None] * 3]
