"""Answers of workers: what comes out is what went in, however long."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from gpool_cli.batch.executors import answers


def receive(end: Connection) -> Any:
    """Wait for an answer for as long as it takes."""
    return answers.receive(end, lambda: None)


def passed_on(answer: Any) -> Any:
    """An answer after its way through a pipe, which holds less than it."""
    ours, theirs = Pipe(duplex=False)
    with ours, theirs:
        answers.widen(theirs)
        sender = threading.Thread(target=answers.send, args=(theirs, answer))
        sender.start()
        received = receive(ours)
        sender.join()
    return received


@pytest.mark.parametrize("count", [0, 1, 5, 100_000, 3_000_000])
@pytest.mark.parametrize("dtype", ["f4", "i2", "b1", ">f8"])
def test_values_are_the_same_and_can_be_written_to(count: int, dtype: str) -> None:
    values = np.arange(count).astype(dtype)
    (received, text), short = passed_on(((values, "text"), values[:3]))
    assert received.dtype == values.dtype
    assert received.tobytes() == values.tobytes()
    assert short.tobytes() == values[:3].tobytes()
    assert text == "text"
    assert received.flags.writeable


def test_values_that_do_not_lie_in_one_piece() -> None:
    values = np.arange(400_000.0).reshape(400, 1000)
    for view in (values[::2], values.T, values[:, ::-1]):
        np.testing.assert_array_equal(passed_on([view])[0], view)


def test_long_values_stand_beside_the_pickle() -> None:
    ours, theirs = Pipe(duplex=False)
    values = [np.full(1_000_000, i, "f8") for i in range(3)]
    with ours, theirs:
        sender = threading.Thread(target=answers.send, args=(theirs, values))
        sender.start()
        with open(ours.fileno(), "rb", closefd=False) as pipe:
            (length,) = struct.unpack("Q", pipe.read(8))
            head = pipe.read(length)
            beside = [pipe.read(8_000_000) for _ in values]
        sender.join()
    assert len(head) < 2000
    assert beside == [array.tobytes() for array in values]


def test_what_can_not_be_pickled_leaves_the_pipe_as_it_was() -> None:
    ours, theirs = Pipe(duplex=False)
    with ours, theirs:
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
            answers.send(theirs, (np.zeros(1_000_000), threading.Lock()))
        answers.send(theirs, "next")
        assert receive(ours) == "next"


class Wide:
    """What there is no room for when it is to be sent."""

    def __reduce__(self) -> str:
        raise MemoryError


def test_without_room_nothing_is_sent() -> None:
    ours, theirs = Pipe(duplex=False)
    with ours, theirs:
        with pytest.raises(MemoryError):
            answers.send(theirs, (np.ones(100_000), Wide()))
        answers.send(theirs, "next")
        assert receive(ours) == "next"


def begin_to_send(end: Connection, there: int) -> None:
    """Send as many bytes of an answer, and leave."""
    whole = bytearray()
    with pytest.MonkeyPatch.context() as patch, end:
        patch.setattr(answers, "_write", lambda _, view: whole.extend(view))
        answers.send(end, np.ones(100_000))
        os.write(end.fileno(), whole[:there])


@pytest.mark.parametrize("there", [0, 1, 7, 8, 9, 200, 5_000, 800_000])
def test_half_an_answer_is_no_answer(there: int) -> None:
    ours, theirs = Pipe(duplex=False)
    with ours:
        sender = threading.Thread(target=begin_to_send, args=(theirs, there))
        sender.start()
        with pytest.raises(EOFError):
            receive(ours)
        sender.join()


@pytest.mark.parametrize("there", [0, 1, 8, 9, 200, 5_000])
def test_what_stands_still_in_the_middle_is_not_waited_for(there: int) -> None:
    ours, theirs = Pipe(duplex=False)
    with ours, theirs:
        begin_to_send(Connection(os.dup(theirs.fileno()), readable=False), there)

        def wait() -> None:
            if not ours.poll(0.01):
                raise TimeoutError

        with pytest.raises(TimeoutError):
            answers.receive(ours, wait)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can say how much a pipe holds")
def test_a_pipe_holds_a_long_answer_at_once() -> None:
    ours, theirs = Pipe(duplex=False)
    with ours, theirs:
        answers.widen(theirs)
        answers.send(theirs, np.zeros(20_000))  # It would wait for a reader.
        assert receive(ours).size == 20_000


def test_no_memory_in_the_middle_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(answers, "_write", fail)
    ours, theirs = Pipe(duplex=False)
    with ours, theirs, pytest.raises(OSError, match="middle"):
        answers.send(theirs, np.zeros(1_000_000))
