"""From tasks to outcomes: cut into steps, worked on by any number of workers, told in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from gpool_cli.batch.pieces import Partial, Piece, job_for
from gpool_cli.batch.units import Answer, Here, MapPart, Maps, Said, Step, WholeFiles, steps_of
from gpool_cli.batch.work import failure_of, results_of
from gpool_cli.errors import GpoolError
from gpool_cli.model import Alike, FileDone, Outcome, Task

Advance = Callable[[float], None]
Answers = Iterator[tuple[Step, Answer | None]]
Work = Callable[[Iterable[Step]], Answers]


def outcomes_of(tasks: Iterable[Task], work: Work, advance: Advance) -> Iterator[Outcome | Alike]:
    """Work through tasks.

    Args:
        tasks: What to do.
        work: Works through steps: `gpool_cli.batch.units.one_by_one`, or that of `Slots`.
        advance: Told what share of a file is done, while it is under way.

    Yields:
        All outcomes of the first task, then those of the second, and so on.
    """
    answers = work(steps_of(tasks))
    for step, answer in answers:
        if isinstance(step, Said):
            yield from step.outcomes
        elif isinstance(step, Here):
            yield from step.outcomes()
        elif isinstance(step, MapPart):
            yield from _map_in_parts(step, answer, answers, advance)
        elif isinstance(step, WholeFiles) and isinstance(answer, list):
            yield from _with_files(answer, step.tasks)
        elif isinstance(step, Maps) and isinstance(answer, list):
            yield from answer
            advance(step.share)
        elif isinstance(step, Maps) and isinstance(answer, GpoolError):
            yield failure_of(step.task.file, "", answer)


def _with_files(
    answer: Sequence[Outcome | Alike], tasks: Sequence[Task]
) -> Iterator[Outcome | Alike]:
    """The answer for these tasks; files that are alike, which came without them, get theirs."""
    place = 0
    for outcome in answer:
        if isinstance(outcome, Alike):
            of_it = tasks[place : place + outcome.count]
            yield replace(outcome, files=tuple(task.file for task in of_it))
            place += outcome.count
        else:
            yield outcome
            place += isinstance(outcome, FileDone)


def _map_in_parts(
    first: MapPart,
    answer: Answer | None,
    answers: Answers,
    advance: Advance,
) -> Iterator[Outcome]:
    """The outcomes of a map whose first part was answered; takes the answers of the others."""
    task, info, layout = first.task, first.info, first.layout
    job = job_for(info, layout, task.recipe)
    failures: list[GpoolError] = []

    def parts() -> Iterator[Piece | Partial]:
        """The parts as far as all is well."""
        for i in range(len(job.parts)):
            given = answer if i == 0 else next(answers)[1]
            advance(first.share)
            if isinstance(given, GpoolError):
                failures.append(given)
            elif isinstance(given, (Piece, Partial)) and not failures:
                yield given

    try:
        for piece in job.join(parts()):
            if not failures:
                yield from results_of(task, info, layout, piece, first.count)
    except GpoolError as error:
        failures.append(error)
    if failures:
        yield failure_of(task.file, info.dataset, failures[0])
