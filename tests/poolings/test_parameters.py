"""Parameters as a user writes them."""

import pytest

from gpool_cli.errors import UsageError
from gpool_cli.poolings import load_pooling, parse_pooling
from gpool_cli.recipe import PoolingSpec


def test_one_spelling_for_what_is_the_same() -> None:
    assert parse_pooling("gem:p=3") == parse_pooling("gem") == parse_pooling(" GEM:eps=1e-6,p=3.0")
    assert parse_pooling("gem:p=4").label == "gem:p=4"
    assert parse_pooling("gem:p=4,eps=0.5") == PoolingSpec("gem", (("eps", 0.5), ("p", 4.0)))
    assert parse_pooling("quantile:q=0.99999999").label == "quantile:q=0.99999999"
    assert load_pooling(parse_pooling("gem:p=4")) is load_pooling(parse_pooling("gem:p=4.0"))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("gme", "no pooling 'gme'", "avg, max"),
        ("avg:p=2", "avg has no parameter 'p'", "avg has no parameters"),
        ("gem:q=2", "gem has no parameter 'q'", "p (a number, above 0)"),
        ("gem:", "gem has no parameter ''", "it has p"),
        ("gem:p", "gem:p has no value", "gem:p=NUMBER"),
        ("gem:p=x", "p=x is no number", "above 0"),
        ("gem:p=0", "p=0 is not possible", "above 0"),
        ("gem:p=inf", "p=inf is not possible", "above 0"),
        ("gem:p=2,p=3", "gem is given p twice", "once"),
        ("topk", "topk needs k", "gpool topk --k NUMBER"),
        ("topk:k=1.5", "k=1.5 is not possible", "a whole number, at least 1"),
        ("quantile:q=1.1", "q=1.1 is not possible", "at least 0 and at most 1"),
        ("quantile:q=nan", "q=nan is not possible", "at least 0"),
        ("where", "no pooling 'where'", "avg"),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_pooling(text)
    assert message in refused.value.message
    assert hint in refused.value.hint
