"""The pages of a far file: how many requests are under way together."""

from concurrent.futures import Future

import numpy as np

from gpool_cli.remote.pages import PAGE, Pages


def test_many_small_places_are_not_asked_for_all_at_once() -> None:
    size = 700 * PAGE
    data = np.random.default_rng(1).bytes(size)
    places = range(0, size, 2 * PAGE)
    under_way: list[tuple[int, int, Future[bytes]]] = []
    most, asked = 0, 0

    def fetch(first: int, last: int) -> Future[bytes]:
        nonlocal most, asked
        answer: Future[bytes] = Future()
        under_way.append((first, last, answer))
        most, asked = max(most, len(under_way)), asked + 1
        return answer

    pages = Pages(fetch, size)
    pages.plan((place, place + 100) for place in places)
    assert len(under_way) > 1
    for place in places:
        first, last, answer = under_way.pop(0)
        answer.set_result(data[first:last])
        found = bytearray(100)
        pages.read_into(memoryview(found), place)
        assert found == data[place : place + 100]
    assert most == 32
    assert asked == len(places)
