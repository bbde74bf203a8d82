"""Being asked to stop."""

import pytest

from gpool_cli import stopping


class Enough(BaseException):
    pass


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(stopping, "wish", stopping.Wish())


def test_awish_is_followed_at_once():
    stopping.check()
    with pytest.raises(Enough):
        stopping.stop(Enough())


def test_awish_waits_for_the_end_of_an_output():
    with stopping.held():
        with stopping.held():
            stopping.stop(Enough())
        stopping.stop(Enough())
        stopping.check()
    with pytest.raises(Enough):
        stopping.check()


def test_awish_that_a_library_swallowed_is_not_forgotten():
    with pytest.raises(Enough):
        stopping.stop(Enough())
    with pytest.raises(Enough):
        stopping.check()


def test_a_block_that_fails_holds_no_longer():
    @stopping.held()
    def fail():
        stopping.stop(Enough())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(Enough):
        stopping.check()
