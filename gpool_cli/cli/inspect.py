"""``gpool info`` at work: every array of every input, as a table or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, compress

from gpool_cli.access import DEFAULT_MEMORY
from gpool_cli.batch.diagnosis import Diagnosed, diagnose, recipe_of
from gpool_cli.batch.discover import discover
from gpool_cli.batch.jobs import usable_cores, worth_workers
from gpool_cli.batch.plan import list_arrays
from gpool_cli.batch.select import select
from gpool_cli.batch.work import failure_of
from gpool_cli.batch.workers import Scout, workers
from gpool_cli.cli.entry import COLUMNS, STATS_COLUMNS, Entry, cells, entry_as_json
from gpool_cli.cli.inputs import named_inputs, nothing_found
from gpool_cli.cli.options import InputOptions
from gpool_cli.formats.opening import format_of
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import STDIN, ArrayInfo, Failed, InputFile, Skipped, Task, Warned
from gpool_cli.report.lines import (
    Warnings,
    note_text,
    place_text,
    print_error,
    print_failure,
    skip_text,
)
from gpool_cli.report.table import print_table


def inspect_files(options: InputOptions, as_json: bool, stats: bool) -> int:
    """List what is in the inputs, and say as the exit code whether something was unreadable.

    Args:
        options: Which inputs.
        as_json: As JSON lines, not as a table.
        stats: Say what there is in the channels too.
    """
    with Scout(options.timeout) as scout:
        found = discover(named_inputs(options), options.keys, list_tree=scout.list_tree)
    failures = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
    rows, skips, warnings = [], [], Warnings()
    notes: dict[str, list[str]] = {}
    for entry in (_diagnosed if stats else _listed)(found.files, options):
        if isinstance(entry, Failed):
            failures.append(entry)
        elif as_json:
            print(json.dumps(entry_as_json(entry, stats)))
        else:
            if not stats or entry.diagnosis is not None:
                rows.append(cells(entry))
            if entry.info.note:
                place = place_text(entry.file, entry.info.dataset)
                notes.setdefault(entry.info.note, []).append(place)
            if entry.reason:
                skips.append(skip_text(Skipped(entry.file, entry.info.dataset, entry.reason)))
            elif entry.doubt:
                warnings.add(Warned(entry.file, entry.info.dataset, "layout", entry.doubt))
    if rows:
        print_table(sys.stdout, STATS_COLUMNS if stats else COLUMNS, rows)
    for note, places in notes.items():
        print(note_text(note, places[0], len(places)))
    for line in skips:
        print(line)
    warnings.print()
    for failure in failures:
        print_failure(failure)
    if not found.files and not failures:
        print_error(nothing_found(found.words, "files"))
    return 1 if failures or not found.files else 0


def _listed(files: Sequence[InputFile], options: InputOptions) -> Iterator[Entry | Failed]:
    """What is in the files, told from their headers."""
    with Scout(options.timeout) as scout:
        yield from chain.from_iterable(_entries(file, options, scout) for file in files)


def _diagnosed(files: Sequence[InputFile], options: InputOptions) -> Iterator[Entry | Failed]:
    """The same with what is in the channels; of a pipe, which can't be listed first, that alone."""
    with Scout(options.timeout) as scout:
        listed = [
            [] if file.path == STDIN else list(_entries(file, options, scout)) for file in files
        ]
    recipe, access = recipe_of(options.layout), options.access
    wanted = [
        file.path == STDIN or any(isinstance(e, Entry) and e.layout for e in entries)
        for file, entries in zip(files, listed, strict=True)
    ]
    tasks = [Task(file, recipe, access=access) for file in compress(files, wanted)]
    count = worth_workers([task.file for task in tasks], recipe, usable_cores())
    with workers(count, options.timeout, DEFAULT_MEMORY) as work:
        answers = diagnose(tasks, work)
        for file, entries, read in zip(files, listed, wanted, strict=True):
            yield from _joined(file, entries, next(answers) if read else [])


def _joined(
    file: InputFile, entries: Sequence[Entry | Failed], said: Sequence[Diagnosed | Failed]
) -> Iterator[Entry | Failed]:
    """The entries of one file with their diagnoses, and what failed beside."""
    found = {one.info.dataset: one for one in said if isinstance(one, Diagnosed)}
    for entry in entries:
        if isinstance(entry, Entry) and entry.info.dataset in found:
            yield replace(entry, diagnosis=found.pop(entry.info.dataset).diagnosis)
        else:
            yield entry
    for one in found.values():
        doubt = layout_doubt(one.layout, one.info.shape)
        yield Entry(file, one.info, one.layout, "", doubt, one.diagnosis)
    refused = {e.info.dataset for e in entries if isinstance(e, Entry) and e.reason}
    yield from (f for f in said if isinstance(f, Failed) and f.dataset not in refused)


def _entries(file: InputFile, options: InputOptions, scout: Scout) -> Iterator[Entry | Failed]:
    try:
        infos = scout.call(file, list_arrays, file, options.access)
        yield from _described(file, infos, options.layout)
    except Exception as error:
        yield failure_of(file, "", error)


def _described(file: InputFile, infos: list[ArrayInfo], layout: str | None) -> Iterator[Entry]:
    selection = select(infos, file.keys, layout, format_of(file.path).container, file.named)
    meanings: dict[str, Layout] = {info.dataset: meaning for info, meaning in selection.maps}
    reasons = {info.dataset: reason for info, reason in selection.skipped}
    reasons.update({info.dataset: error.message for info, error in selection.failed})
    for info in infos:
        if info.dataset in meanings:
            meaning = meanings[info.dataset]
            yield Entry(file, info, meaning, "", layout_doubt(meaning, info.shape))
        elif info.dataset in reasons:
            yield Entry(file, info, None, reasons[info.dataset], "")
