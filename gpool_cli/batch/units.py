"""Units of work: what one worker is handed at a time, and what it hands back.

Small files go together, the maps of a large file are dealt out, and a large map is cut in parts.
How a map is cut follows from the map alone, and its parts are merged in their order: what is
computed is the same for any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gpool_cli import pulse
from gpool_cli.batch.masks import companions_of
from gpool_cli.batch.memory import answer_bytes, is_long, working_bytes
from gpool_cli.batch.pieces import Partial, Piece, job_for
from gpool_cli.batch.select import Map
from gpool_cli.batch.work import (
    Listing,
    Rest,
    failure_of,
    list_maps,
    pool_file,
    pool_maps,
    pool_parts,
)
from gpool_cli.errors import GpoolError
from gpool_cli.formats.inputs import bytes_to_read
from gpool_cli.formats.opening import isolated
from gpool_cli.layout import Layout
from gpool_cli.model import STDIN, Alike, ArrayInfo, Failed, FileDone, Outcome, Part, Task

_Thing = TypeVar("_Thing")

# Files below this go together with others, up to so many bytes and so many files a unit.
_SMALL_FILE = 16 << 20
_TOGETHER_BYTES = 16 << 20
_TOGETHER_FILES = 256
_TOGETHER_MAPS = 256

# A pipe, or a long deflated member, is read in the main process, and HDF5 only in workers.
_NOT_HERE = "can't have a mask or a weights map in HDF5, for it is read as one stream"

# The results of a map that can only be read in one go come back in one go, up to so many parts.
_MOST_PARTS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class WholeFiles:
    """Files that one worker does from end to end, with so much memory for each."""

    tasks: tuple[Task, ...]
    share: int


@dataclass(frozen=True, eq=False)
class Maps:
    """Some of the maps of a file.

    Attributes:
        task: The file.
        maps: The maps.
        count: How many it has as far as it was listed.
        share: The share of its bytes that they are.
        memory: What the work on one of them takes, at most.
    """

    task: Task
    maps: tuple[Map, ...]
    count: int
    share: float
    memory: int


@dataclass(frozen=True, eq=False)
class MapParts:
    """Some consecutive parts of a large map; the rest is as in `Maps`."""

    task: Task
    info: ArrayInfo
    layout: Layout
    parts: tuple[Part, ...]
    count: int
    share: float
    memory: int


@dataclass(frozen=True, eq=False)
class ListMaps:
    """What is in a file, or in the rest of it, looked up by a worker."""

    task: Task
    rest: Rest | None = None


@dataclass(frozen=True, eq=False)
class Soon:
    """No step of its own: a unit that comes later, and is best begun with now."""

    unit: ListMaps


@dataclass(frozen=True, eq=False)
class Said:
    """No work: what there is to say at this place."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, eq=False)
class Here:
    """Work for this process: a pipe, or maps whose results are too long to come back at once."""

    task: Task
    maps: tuple[Map, ...] | None = None
    count: int = 0

    def outcomes(self) -> Iterator[Outcome | Alike]:
        """Do it, as slowly as the outcomes are taken."""
        if any(isolated(one.path) for one in companions_of(self.task.file, self.task.recipe)):
            yield Failed(self.task.file, "", _NOT_HERE, "save it as .npy")
            if self.maps is None:
                yield FileDone(self.task.file)
            return
        if self.maps is None:
            yield from pool_file(self.task)
        else:
            yield from pool_maps(self.task, self.maps, self.count)


Unit = WholeFiles | Maps | MapParts | ListMaps
Step = Unit | Said | Here
StepOrSoon = Step | Soon
Look = Callable[[Task], Listing]
PartAnswer = Piece | Partial | GpoolError
Answer = Sequence[Outcome | Alike] | Sequence[PartAnswer] | Listing | GpoolError


def work_on(unit: Unit) -> Answer:
    """Do one unit of work; this is the function that workers run.

    Returns:
        Outcomes, those that are `Alike` without the files or maps; of parts of a map what
        `gpool_cli.batch.pieces.MapJob.join` puts together, up to what is wrong with one of them.
    """
    if isinstance(unit, WholeFiles):
        return list(_whole_files(unit))
    if isinstance(unit, ListMaps):
        return list_maps(unit.task, unit.rest)
    if isinstance(unit, Maps):
        return list(pool_maps(unit.task, unit.maps, unit.count))
    return list(_map_parts(unit))


def listing_of(task: Task, answer: Answer | None) -> Listing:
    """The answer to `ListMaps`; what is wrong is all there is to say of the file."""
    if isinstance(answer, GpoolError):
        return Listing(outcomes=[failure_of(task.file, "", answer)])
    assert isinstance(answer, Listing)
    return answer


def _map_parts(unit: MapParts) -> Iterator[PartAnswer]:
    try:
        yield from pool_parts(unit.task, unit.info, unit.layout, unit.parts)
    except Exception as error:
        failure = failure_of(unit.task.file, unit.info.dataset, error)
        yield GpoolError(failure.message, failure.hint)


def _whole_files(unit: WholeFiles) -> Iterator[Outcome | Alike]:
    if len(unit.tasks) == 1:
        pulse.begin(0)
        return pool_file(unit.tasks[0], unit.share)
    # A run of one file starts sooner without it.
    from gpool_cli.batch.alike import pool_together

    return pool_together(unit.tasks, unit.share)


def one_by_one(steps: Iterable[StepOrSoon]) -> Iterator[tuple[Step, Answer | None]]:
    """Work through steps in this process; the maps of a large file are done as they are taken.

    Yields:
        Every step in order: a unit with its answer, anything else with None.
    """
    for step in steps:
        if isinstance(step, Soon):
            continue
        if isinstance(step, Maps):
            yield Here(step.task, step.maps, step.count), None
        else:
            yield step, work_on(step) if isinstance(step, Unit) else None


def steps_of(
    tasks: Iterable[Task], look: Look = list_maps, workers: int = 1, bundle: int = 1
) -> Iterator[StepOrSoon]:
    """Cut tasks into steps; what belongs to a file stays together, and files in their order.

    Args:
        tasks: What to do.
        look: Looks into a large file.
        workers: How many share the memory.
        bundle: How many times the usual bytes of a large file a unit has.
    """
    together: list[Task] = []
    nbytes = 0
    for task in tasks:
        size = _size(task)
        small = size is not None and size < _SMALL_FILE
        if small:
            together.append(task)
            nbytes += size or 0
        full = len(together) >= _TOGETHER_FILES or nbytes >= _TOGETHER_BYTES
        if together and (full or not small):
            yield WholeFiles(tuple(together), task.access.max_memory // workers)
            together, nbytes = [], 0
        if size is None:
            yield Here(task)
        elif not small:
            yield from steps_of_large(task, look, bundle)
    if together:
        yield WholeFiles(tuple(together), together[0].access.max_memory // workers)


def _taken_out(things: list[_Thing]) -> Iterator[_Thing]:
    """Every thing in order, and nothing keeps it here: there may be a million."""
    things.reverse()
    while things:
        yield things.pop()


def _size(task: Task) -> int | None:
    """The size of an input; None for a pipe, 0 for what can't be looked at."""
    if task.file.path == STDIN:
        return None
    try:
        return bytes_to_read(task.file)
    except OSError:
        return 0


def steps_of_large(task: Task, look: Look = list_maps, bundle: int = 1) -> Iterator[StepOrSoon]:
    """Cut the work on one file into steps, map by map; the rest is as in `steps_of`."""
    yield from steps_of_listing(task, look(task), bundle)


def steps_of_listing(task: Task, listing: Listing, bundle: int = 1) -> Iterator[StepOrSoon]:
    """Cut the work on what was listed into steps; the last is what is still to be listed."""
    rest = ListMaps(task, listing.rest) if listing.rest is not None else None
    if rest is not None:
        yield Soon(rest)
    count = listing.count
    share_of_byte = listing.share / max(1, sum(info.nbytes for info, _ in listing.maps))
    yield Said(tuple(_taken_out(listing.outcomes)))
    together: list[Map] = []
    nbytes = answers = memory = 0
    for info, layout in _taken_out(listing.maps):
        needed = working_bytes(info, layout, task.recipe)
        answer = answer_bytes(info, layout, task.recipe)
        job = job_for(info, layout, task.recipe)
        parts = job.parts
        in_parts = listing.cuttable and not job.at_once
        long = is_long(info, layout, task.recipe)
        too_long = (len(parts) > _MOST_PARTS_AT_ONCE or long) and not listing.cuttable
        full = max(nbytes, answers) >= _TOGETHER_BYTES * bundle
        full = full or len(together) >= _TOGETHER_MAPS
        if together and (full or in_parts or too_long):
            yield Maps(task, tuple(together), count, nbytes * share_of_byte, memory)
            together, nbytes, answers, memory = [], 0, 0, 0
        if in_parts:
            one_takes = max(_TOGETHER_BYTES, needed + answer // len(parts))
            each = max(1, bundle * _TOGETHER_BYTES // one_takes)
            firsts = range(0, len(parts), each)
            share = info.nbytes * share_of_byte / len(firsts)
            for i in firsts:
                some = tuple(parts[i : i + each])
                yield MapParts(task, info, layout, some, count, share, needed)
        elif too_long:
            yield Here(task, ((info, layout),), count)
        else:
            together.append((info, layout))
            nbytes += info.nbytes
            answers += answer
            memory = max(memory, needed)
    if together:
        yield Maps(task, tuple(together), count, nbytes * share_of_byte, memory)
    yield rest if rest is not None else Said((FileDone(task.file),))
