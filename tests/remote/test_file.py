"""Files behind URLs, over real HTTP: every byte once, whatever the network does meanwhile."""

import io
import time
from collections.abc import Callable

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.remote import calls, file
from gpool_cli.remote.file import RemoteFile, open_url
from gpool_cli.remote.pages import PAGE
from tests.servers.store import Fault, Store, cut, endless, error, reset, slow

LARGE = 40 * PAGE + 17
Url = Callable[[Store, str], str]


def by_s3(store: Store, path: str) -> str:
    return f"s3://{path}"


def by_web(store: Store, path: str) -> str:
    return f"{store.url}/{path}"


both = pytest.mark.parametrize("url_of", [by_s3, by_web], ids=["s3", "web"])


def some_bytes(count: int) -> bytes:
    return np.random.default_rng(count).bytes(count)


def opened(url: str) -> RemoteFile:
    opened = open_url(url)
    assert isinstance(opened, RemoteFile)
    return opened


@both
@pytest.mark.parametrize("size", [0, 1, PAGE, 4 * PAGE, 4 * PAGE + 1, LARGE])
def test_a_file_is_read_whole(store: Store, url_of: Url, size: int) -> None:
    data = store.files["b/a"] = some_bytes(size)
    with opened(url_of(store, "b/a")) as far:
        assert far.size == size
        assert far.read() == data
        assert far.read(1) == b""
    assert store.bytes_asked == size


@both
def test_any_part_is_read_and_fetched_once(store: Store, url_of: Url) -> None:
    data = store.files["b/a"] = some_bytes(LARGE)
    numbers = np.random.default_rng(1)
    with opened(url_of(store, "b/a")) as far:
        for _ in range(200):
            first, last = sorted(numbers.integers(0, LARGE + 1, 2).tolist())
            far.seek(first)
            assert far.read(last - first) == data[first:last]
            assert far.tell() == last
    assert store.bytes_asked <= LARGE


@both
def test_a_small_file_takes_one_request(store: Store, url_of: Url) -> None:
    store.files["b/a"] = b"x" * 1000
    with opened(url_of(store, "b/a")) as far:
        far.read()
    assert len(store.requests) == 1


@both
def test_what_is_announced_is_fetched_before_its_time_and_nothing_else(
    store: Store, url_of: Url
) -> None:
    size = 24 << 20
    data = store.files["b/a"] = some_bytes(size)
    store.faults = [slow(0.1)] * 8  # Requests at one time are seen to be, however quick the answer.
    ranges = [(1 << 20, 9 << 20), (12 << 20, 20 << 20)]
    with opened(url_of(store, "b/a")) as far:
        far.will_read(iter(ranges))
        for first, last in ranges:
            far.seek(first)
            while far.tell() < last:
                here = far.tell()
                assert far.read(1 << 20) == data[here : here + (1 << 20)]
    asked = sum(last - first for first, last in ranges)
    assert store.bytes_asked <= asked + 6 * PAGE
    assert store.most_at_once > 1
    assert len(store.requests) <= 11  # Large ones to the end: the window moves on.


@both
def test_a_plan_that_is_not_kept_costs_no_value(store: Store, url_of: Url) -> None:
    data = store.files["b/a"] = some_bytes(LARGE)
    with opened(url_of(store, "b/a")) as far:
        far.will_read([(30 * PAGE, 99 * PAGE), (-5, 3)])
        far.seek(5)
        assert far.read(7 * PAGE) == data[5 : 5 + 7 * PAGE]
        far.will_read([(20 * PAGE, 30 * PAGE)])
        far.seek(0)
        assert far.read() == data


@both
def test_the_file_that_was_open_last_is_not_fetched_again(store: Store, url_of: Url) -> None:
    store.files["b/a"] = some_bytes(20 * PAGE)
    for _ in range(3):
        with opened(url_of(store, "b/a")) as far:
            far.read(10 * PAGE)
    assert store.bytes_asked == 10 * PAGE + 2 * 4 * PAGE  # It is looked at by its beginning.
    store.files["b/a"] = data = some_bytes(21 * PAGE)
    with opened(url_of(store, "b/a")) as far:
        assert far.read() == data


FAULTS = {
    "500": error(500),
    "503": error(503),
    "reset": reset,
    "cut": cut,
    "silent": slow(0.8),
}


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up a server that is silent for less than the faults are, however much was asked for."""
    monkeypatch.setattr(calls, "PATIENCE", 0.4)
    monkeypatch.setattr(calls, "_SLOWEST", float("inf"))


@both
@pytest.mark.parametrize("when", [0, 1], ids=["at first", "later"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_passes_is_not_seen(
    store: Store, url_of: Url, fault: Fault, when: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault is FAULTS["silent"]:
        impatient(monkeypatch)
    data = store.files["b/a"] = some_bytes(LARGE)
    store.faults = [None] * when + [fault, fault]
    with opened(url_of(store, "b/a")) as far:
        assert far.read() == data
    assert store.faults == []


@both
@pytest.mark.parametrize("fault", [*FAULTS.values(), endless], ids=[*FAULTS, "endless"])
def test_a_fault_that_stays_is_an_error_in_bounded_time(
    store: Store, url_of: Url, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    store.files["b/a"] = some_bytes(LARGE)
    store.faults = [fault] * 100
    before = time.monotonic()
    with pytest.raises(InputError, match="can't be read") as caught:
        open_url(url_of(store, "b/a"))
    assert time.monotonic() - before < 60  # Not for ever.
    assert "(4 tries)" in caught.value.message
    assert caught.value.hint


@both
def test_a_file_that_fails_in_the_middle_fails(store: Store, url_of: Url) -> None:
    store.files["b/a"] = some_bytes(LARGE)
    with opened(url_of(store, "b/a")) as far:
        store.faults = [error(500)] * 1000
        far.will_read([(0, LARGE)])
        with pytest.raises(InputError, match="can't be read"):
            far.read()
        store.faults = []
        far.seek(0)
        assert far.read() == store.files["b/a"]


@both
def test_a_file_that_changes_while_it_is_read_fails(store: Store, url_of: Url) -> None:
    store.files["b/a"] = some_bytes(LARGE)
    with opened(url_of(store, "b/a")) as far:
        store.files["b/a"] = bytes(LARGE)
        with pytest.raises(InputError, match="has changed while it was read"):
            far.read()


@both
def test_what_is_not_there_is_an_error_at_once(store: Store, url_of: Url) -> None:
    with pytest.raises(InputError, match="is not there"):
        open_url(url_of(store, "b/a"))
    assert len(store.requests) == 1


@both
def test_what_may_not_be_read_is_an_error_at_once(store: Store, url_of: Url) -> None:
    store.faults = [error(403)]
    with pytest.raises(InputError, match="may not be read"):
        open_url(url_of(store, "b/a"))
    assert len(store.requests) == 1


class TestServersWithoutRanges:
    def test_the_whole_is_fetched(self, store: Store) -> None:
        store.ranges = False
        data = store.files["b/a"] = some_bytes(LARGE)
        with open_url(by_web(store, "b/a")) as far:
            assert far.read() == data
            far.seek(-5, io.SEEK_END)
            assert far.read() == data[-5:]

    def test_one_that_hides_its_size_is_refused(self, store: Store) -> None:
        store.ranges = store.sends_length = False
        store.files["b/a"] = some_bytes(LARGE)
        with pytest.raises(InputError, match="says neither its size nor gives parts"):
            open_url(by_web(store, "b/a"))

    def test_one_that_promises_more_than_there_is_room_for_is_refused(self, store: Store) -> None:
        def vast(handler) -> bool:  # type: ignore[no-untyped-def]
            handler.send_response(200)
            handler.send_header("Content-Length", str(10**17))
            handler.end_headers()
            handler.close_connection = True
            return True

        store.faults = [vast]
        with pytest.raises(InputError, match="temporary files have no room"):
            open_url(by_web(store, "b/a"))

    def test_s3_has_ranges(self, store: Store) -> None:
        store.ranges = False
        store.files["b/a"] = some_bytes(LARGE)
        with pytest.raises(InputError, match="gives no parts"):
            open_url("s3://b/a")


class TestRedirects:
    def test_within_the_host_they_are_followed(self, store: Store) -> None:
        data = store.files["b/a"] = some_bytes(LARGE)
        store.redirects = {"old": "/b/a"}
        with opened(f"{store.url}/old") as far:
            assert far.read() == data

    @pytest.mark.parametrize(
        "target",
        [
            "http://localhost:{port}/b/a",
            "http://127.0.0.1:9/b/a",
            "//example.invalid/a",
            "file:///etc/passwd",
            "ftp://127.0.0.1/a",
            "http://[",
            "",
        ],
    )
    def test_to_elsewhere_they_are_refused(self, store: Store, target: str) -> None:
        store.files["b/a"] = b"x"
        store.redirects = {"old": target.replace("{port}", store.url.rpartition(":")[2])}
        with pytest.raises(InputError, match="is redirected to"):
            open_url(f"{store.url}/old")
        assert len(store.requests) == 1

    def test_a_circle_ends(self, store: Store) -> None:
        store.redirects = {"one": "/two", "two": "/one"}
        with pytest.raises(InputError, match="redirected in a circle"):
            open_url(f"{store.url}/one")


def test_what_is_remembered_is_bounded(store: Store) -> None:
    store.files["b/a"] = some_bytes(48 << 20)
    with opened("s3://b/a") as far:
        while far.read(1 << 20):
            pass
        pages = far._pages
        assert len(pages._others) * PAGE <= 32 << 20
        far.will_read([(0, 48 << 20)])
        far.seek(0)
        while far.read(1 << 20):
            pass
        assert (len(pages._planned) + len(pages._flying)) * PAGE <= 24 << 20
    assert file._last is not None
