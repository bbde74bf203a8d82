"""From tasks to outcomes: cut into steps, worked on by any number of workers, told in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gpool_cli.batch.pieces import Partial, Piece, job_for
from gpool_cli.batch.select import Map
from gpool_cli.batch.units import (
    Answer,
    Here,
    ListMaps,
    Look,
    MapParts,
    Maps,
    Said,
    Step,
    StepOrSoon,
    WholeFiles,
    listing_of,
    one_by_one,
    steps_of,
    steps_of_large,
    steps_of_listing,
)
from gpool_cli.batch.work import failure_of, list_maps, results_of
from gpool_cli.errors import GpoolError
from gpool_cli.events import Advanced
from gpool_cli.model import Alike, FileDone, Outcome, Task, TooLarge

Advance = Callable[[Advanced], None]
Answers = Iterator[tuple[Step, Answer | None]]


@dataclass(frozen=True, eq=False)
class Work:
    """Who does the work.

    Attributes:
        answers: Works through steps: `gpool_cli.batch.units.one_by_one`, or that of `Slots`.
        look: Looks into a large file.
        workers: How many share the memory.
        bundle: How many times the usual bytes of a large file a unit has: more where it costs
            more to hand one out.
        note: What a user should know of them; '' where there is nothing to say.
    """

    answers: Callable[[Iterable[StepOrSoon]], Answers] = one_by_one
    look: Look = list_maps
    workers: int = 1
    bundle: int = 1
    note: str = ""


def outcomes_of(tasks: Iterable[Task], work: Work, advance: Advance) -> Iterator[Outcome | Alike]:
    """Work through tasks.

    Args:
        tasks: What to do.
        work: Who does it.
        advance: Told how far a large file is, while it is under way.

    Yields:
        All outcomes of the first task, then those of the second, and so on.
    """
    steps = steps_of(tasks, work.look, work.workers, work.bundle)
    yield from _outcomes_of_steps(steps, work, advance)


def _outcomes_of_steps(
    steps: Iterable[StepOrSoon], work: Work, advance: Advance
) -> Iterator[Outcome | Alike]:
    answers = work.answers(steps)
    for step, answer in answers:
        if isinstance(step, Said):
            yield from step.outcomes
        elif isinstance(step, Here):
            yield from _with_maps(step.outcomes(), step.maps or ())
        elif isinstance(step, MapParts):
            yield from _map_in_parts(step, answer, answers, advance)
        elif isinstance(step, WholeFiles) and isinstance(answer, list):
            for outcome, task in _with_files(answer, step.tasks):
                if isinstance(outcome, TooLarge):
                    large = steps_of_large(task, work.look, work.bundle)
                    yield from _outcomes_of_steps(large, work, lambda advanced: None)
                else:
                    yield outcome
        elif isinstance(step, Maps) and isinstance(answer, list):
            yield from _with_maps(answer, step.maps)
            advance(Advanced(step.share))
        elif isinstance(step, Maps) and isinstance(answer, GpoolError):
            yield failure_of(step.task.file, "", answer)
        elif isinstance(step, ListMaps):
            # Each part is longer than the one before: they are few, and this is never deep.
            listing = listing_of(step.task, answer)
            more = steps_of_listing(step.task, listing, work.bundle)
            yield from _outcomes_of_steps(more, work, advance)


def _with_maps(outcomes: Iterable[Outcome | Alike], maps: Sequence[Map]) -> Iterator[Outcome]:
    """The outcomes of these maps, those of maps that are alike one by one."""
    place = 0
    for outcome in outcomes:
        if isinstance(outcome, Alike):
            while maps[place][0].dataset != outcome.results[0].info.dataset:
                place += 1
            infos = tuple(info for info, _ in maps[place : place + outcome.count])
            yield from replace(outcome, infos=infos).outcomes()
        else:
            yield outcome


def _with_files(
    answer: Sequence[Outcome | Alike], tasks: Sequence[Task]
) -> Iterator[tuple[Outcome | Alike, Task]]:
    """The answer for these tasks, each outcome with its task, or the first of them.

    Files that are alike, which came without them, get theirs.
    """
    place = 0
    for outcome in answer:
        if isinstance(outcome, Alike):
            of_it = tasks[place : place + outcome.count]
            yield replace(outcome, files=tuple(task.file for task in of_it)), of_it[0]
            place += outcome.count
        else:
            yield outcome, tasks[place]
            place += isinstance(outcome, (FileDone, TooLarge))


def _map_in_parts(
    first: MapParts,
    answer: Answer | None,
    answers: Answers,
    advance: Advance,
) -> Iterator[Outcome]:
    """The outcomes of a map whose first parts were answered; takes the answers of the others."""
    task, info, layout = first.task, first.info, first.layout
    job = job_for(info, layout, task.recipe)
    failures: list[GpoolError] = []

    def parts() -> Iterator[Piece | Partial]:
        """The parts as far as all is well."""
        firsts = range(0, len(job.parts), len(first.parts))
        for i in firsts:
            given = answer if i == 0 else next(answers)[1]
            advance(Advanced(first.share, info.nbytes // len(firsts)))
            for part in given if isinstance(given, list) else [given]:
                if isinstance(part, GpoolError):
                    failures.append(part)
                elif isinstance(part, (Piece, Partial)) and not failures:
                    yield part

    try:
        for piece in job.join(parts()):
            if not failures:
                yield from results_of(task, info, layout, piece, first.count)
    except GpoolError as error:
        failures.append(error)
    if failures:
        yield failure_of(task.file, info.dataset, failures[0])
