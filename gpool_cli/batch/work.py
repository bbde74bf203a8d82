"""The work on one file: open it, choose its maps, pool them block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gpool_cli import pulse
from gpool_cli.batch.alikemaps import pool_alike_maps
from gpool_cli.batch.inprocess import pool_pieces
from gpool_cli.batch.keptopen import kept_open, open_anew
from gpool_cli.batch.masks import Companions
from gpool_cli.batch.memory import check_memory, is_long, working_bytes
from gpool_cli.batch.pieces import Partial, Piece, is_normalized, is_packed, job_for
from gpool_cli.batch.select import Map, may_be_wanted, select
from gpool_cli.batch.tails import axes_with_tail, names_of_parts
from gpool_cli.errors import GpoolError
from gpool_cli.formats.inputs import bytes_to_read
from gpool_cli.formats.interface import Reader
from gpool_cli.formats.opening import format_of
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import (
    STDIN,
    Alike,
    ArrayInfo,
    Failed,
    FileDone,
    InputFile,
    Opened,
    Outcome,
    Part,
    Result,
    Skipped,
    Task,
    TooLarge,
    Warned,
)
from gpool_cli.printable import printable

if TYPE_CHECKING:
    from gpool_cli.surroundings import Carry


# So many arrays of a file are listed at first, and later a quarter of what was: work begins before
# all is known, and what it costs to find the place again is little beside what is listed there.
_LISTED_FIRST = 1024


@dataclass(frozen=True, eq=False)
class Rest:
    """What is still to be listed of a file.

    Attributes:
        place: Where its reader goes on.
        count: How many maps came before; two at least, for outputs of one have other names.
        listed: How many arrays came before.
        share: The share of the file's bytes that they were taken to be.
    """

    place: Any
    count: int
    listed: int
    share: float


@dataclass(eq=False)
class Listing:
    """What is in a file, or in the next part of it, before any of its values are read.

    Attributes:
        maps: What is to be pooled.
        outcomes: What is to be said of the others, and of the file.
        cuttable: The reader can begin at any part of a map.
        count: How many maps the file has so far.
        share: The share of the file's bytes that these maps are taken to be.
        rest: What is still to be listed; None where this is the end.
    """

    maps: list[Map] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    cuttable: bool = False
    count: int = 0
    share: float = 1
    rest: Rest | None = None


def pool_file(task: Task, share: int | None = None) -> Iterator[Outcome]:
    """Pool every chosen map of one file; whatever is wrong with it is an outcome, not an error.

    Args:
        task: The file, and what is computed.
        share: The memory that the work on it may take; None for all that the task allows.

    Yields:
        Results, skips, warnings and failures as they come, and a `FileDone` at the end; or where
        it takes more than its share, or its results are long, `TooLarge` and nothing else.
    """
    try:
        with open_anew(task.file.path, task.access) as reader, Companions(task) as companions:
            for infos in _listings(task.file, reader):
                listing = _choose(task, infos, reader, companions)
                if share is not None and _is_too_large(listing, task, share):
                    yield TooLarge(task.file)
                    return
                yield from listing.outcomes
                count = len(listing.maps)
                yield from _pool_all(task, reader, companions, listing.maps, count)
    except Exception as error:
        yield failure_of(task.file, "", error)
    yield FileDone(task.file)


def list_maps(task: Task, rest: Rest | None = None) -> Listing:
    """Look into a file and choose its maps, or the first of them.

    Args:
        task: The file, and what is computed.
        rest: What is still to be listed, if the file was begun with.
    """
    try:
        with open_anew(task.file.path, task.access) as reader, Companions(task) as companions:
            if rest is not None or _may_come_in_parts(task, reader):
                listing = _list_some(task, reader, companions, rest)
            else:
                listing = _list_all(task, reader, companions)
            listing.cuttable = not reader.sequential
            return listing
    except Exception as error:
        return Listing(outcomes=[failure_of(task.file, "", error)])


def _may_come_in_parts(task: Task, reader: Reader) -> bool:
    """Whether no array needs to be known before another is chosen.

    One that has just the name of a key shadows what fits it as a pattern; each of several keys must
    fit something, or nothing is pooled; and what is copied is all that is not pooled.
    """
    keys = task.file.keys
    named = not keys or (len(keys) == 1 and reader.lacks(keys[0].strip("/")))
    return named and not (task.carry is not None and task.carry.others_in)


def _list_all(task: Task, reader: Reader, companions: Companions) -> Listing:
    infos = list(reader.arrays_named(may_be_wanted(task.file.keys)))
    listing = _choose(task, infos, reader, companions)
    listing.count = len(listing.maps)
    return listing


def _list_some(task: Task, reader: Reader, companions: Companions, rest: Rest | None) -> Listing:
    before = rest or Rest(None, 0, 0, 0)
    most = max(_LISTED_FIRST, before.listed // 4)
    infos, place = reader.next_arrays(may_be_wanted(task.file.keys), most, before.place)
    listing = _choose(task, infos, reader, companions, first=rest is None)
    listing.count = before.count + len(listing.maps)
    if place is None:
        listing.share = 1 - before.share
        return listing
    if listing.count < 2:
        return _list_all(task, reader, companions)
    nbytes = sum(info.nbytes for info, _ in listing.maps)
    # What is compressed has more bytes than the file, and there is more to come.
    listing.share = min(nbytes / bytes_to_read(task.file), (1 - before.share) / 2)
    shared = before.share + listing.share
    listing.rest = Rest(place, listing.count, before.listed + most, shared)
    return listing


def pool_maps(task: Task, maps: Sequence[Map], count: int) -> Iterator[Outcome | Alike]:
    """Pool some of the maps of a file.

    Args:
        task: The file, and what is computed.
        maps: Some of those that `list_maps` gave.
        count: How many the file has so far.
    """
    try:
        with open_anew(task.file.path, task.access) as reader, Companions(task) as companions:

            def one_by_one(some: Sequence[Map]) -> Iterator[Outcome]:
                return _pool_all(task, reader, companions, some, count)

            if task.recipe.has_companions:
                yield from one_by_one(maps)
            else:
                yield from pool_alike_maps(task, reader, maps, count, one_by_one)
    except Exception as error:
        yield failure_of(task.file, "", error)


def pool_parts(
    task: Task, info: ArrayInfo, layout: Layout, parts: Sequence[Part]
) -> Iterator[Piece | Partial]:
    """Pool some parts of a map, one after the other; what is wrong with one is raised."""
    with kept_open(task.file.path, task.access) as reader, Companions(task) as companions:
        job, beside = job_for(info, layout, task.recipe), companions.of(info, layout)
        for part in parts:
            yield job.pool_part(partial(reader.blocks, info, [part]), part, beside)


def failure_of(file: InputFile, dataset: str, error: Exception) -> Failed:
    """What to say of an error. This is the file boundary.

    One bad file must not cost the rest, whatever it is that a library raises on it.
    """
    if isinstance(error, GpoolError):
        return Failed(file, dataset, error.message, error.hint)
    if isinstance(error, MemoryError):
        return Failed(file, dataset, "does not fit into memory", "give it more with --max-memory")
    if isinstance(error, OSError):
        return Failed(file, dataset, f"can't be read: {error.strerror or error}")
    return Failed(file, dataset, f"can't be read: {type(error).__name__}: {error}")


def results_of(
    task: Task, info: ArrayInfo, layout: Layout, piece: Piece, count: int
) -> Iterator[Result]:
    """The results that a piece of a map gives, one per pooling.

    Args:
        task: The file, and what was computed.
        info: The map.
        layout: The meaning of its axes.
        piece: Its pooled values.
        count: How many maps the file has so far.
    """
    rows = layout.output_shape(info.shape, task.recipe.shape)[0]
    for i, (spec, values) in enumerate(zip(task.recipe.poolings, piece.values, strict=True)):
        yield Result(
            file=task.file,
            info=info,
            layout=layout,
            pooling=spec,
            values=values,
            axes=axes_with_tail(spec, piece.axes),
            parts_of_value=names_of_parts(spec, layout),
            omitted=piece.omitted if i == 0 else 0,
            masked=piece.masked if i == 0 else 0,
            empty=piece.empty if i == 0 else 0,
            clamped=piece.clamped[i],
            normalized=is_normalized(task.recipe, spec),
            packed=is_packed(task.recipe, spec, info.packing),
            first=i == 0,
            parts=count,
            start=piece.start,
            rows=None if piece.whole else rows,
        )


def _is_too_large(listing: Listing, task: Task, share: int) -> bool:
    return any(
        is_long(info, layout, task.recipe) or working_bytes(info, layout, task.recipe) > share
        for info, layout in listing.maps
    )


def _listings(file: InputFile, reader: Reader) -> Iterator[Sequence[ArrayInfo]]:
    """All arrays of a file at once; those of a pipe, which can't go back, one at a time."""
    if file.path == STDIN:
        for info in reader.arrays():
            yield [info]
    else:
        yield list(reader.arrays_named(may_be_wanted(file.keys)))


def _choose(
    task: Task,
    infos: Sequence[ArrayInfo],
    reader: Reader,
    companions: Companions,
    first: bool = True,
) -> Listing:
    pulse.work()
    file, layout = task.file, task.recipe.layout
    row = format_of(file.path)
    selection = select(infos, file.keys, layout, row.container, file.named)
    listing = Listing()
    say = listing.outcomes.append
    for info, reason in selection.skipped:
        say(Skipped(file, info.dataset, reason, info))
    for info, error in selection.failed:
        say(Failed(file, info.dataset, error.message, error.hint))
    if selection.nothing:
        say(Skipped(file, "", selection.nothing))
    elif first and not selection.maps and not selection.failed:
        say(_nothing_in(file, infos))
    for info, meaning in selection.maps:
        if what := companions.is_one(info):
            say(Skipped(file, info.dataset, f"is the {what}", info))
            continue
        doubt = layout_doubt(meaning, info.shape)
        if doubt and task.strict:
            say(Failed(file, info.dataset, "may have another layout", doubt))
            continue
        if doubt:
            say(Warned(file, info.dataset, "layout", doubt))
        try:
            check_memory(info, meaning, task.recipe, task.access.max_memory, row.rechunk)
            companions.of(info, meaning)
        except GpoolError as error:
            say(failure_of(file, info.dataset, error))
            continue
        listing.maps.append((info, meaning))
    if task.carry is not None:
        listing.outcomes[:0] = _surroundings(task, task.carry, reader, listing.maps)
    return listing


def _surroundings(
    task: Task, carry: Carry, reader: Reader, maps: Sequence[Map]
) -> Iterator[Outcome]:
    """What the output takes over beside the results; it comes before all else of the file."""
    try:
        found = reader.surroundings([info.dataset for info, _ in maps], carry)
    except GpoolError as error:
        yield failure_of(task.file, "", error)
    else:
        pulse.work()
        if found is not None:
            yield Opened(task.file, found)


def _nothing_in(file: InputFile, infos: Sequence[ArrayInfo]) -> Failed | Skipped:
    """A file with nothing to pool: a failure where the user named it, else one more skip."""
    message = "holds no feature map" if infos else "holds no arrays"
    if not file.named:
        return Skipped(file, "", message)
    flat = next((info for info in infos if len(info.shape) == 2 and not info.refusal), None)
    if flat is None:
        return Failed(file, "", message, "see what is in it with: gpool info")
    hint = (
        f"if {printable(flat.dataset)} holds vectors: --key {printable(flat.dataset)} --layout LC"
    )
    return Failed(file, "", message, hint)


def _pool_all(
    task: Task, reader: Reader, companions: Companions, maps: Sequence[Map], count: int
) -> Iterator[Outcome]:
    for info, layout in maps:
        try:
            once = reader.sequential or task.file.path == STDIN
            read, beside = partial(reader.blocks, info), companions.of(info, layout)
            for piece in pool_pieces(read, info, layout, task.recipe, beside, once):
                yield from results_of(task, info, layout, piece, count)
        except GpoolError as error:
            yield failure_of(task.file, info.dataset, error)
