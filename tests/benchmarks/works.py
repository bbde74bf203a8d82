"""WHAT is measured: each work, and who does it beside gpool. A new work is one more row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.benchmarks.data import Data
from tests.benchmarks.peers import Peer, command, gpool, script
from tests.benchmarks.ratio import SAME_MEMORY, at_least, at_most


@dataclass(frozen=True)
class Work:
    """Something to pool.

    Attributes:
        name: For ``--only``.
        title: For the table; ``{size}`` is how large the data are.
        data: What is read.
        gpool: The words behind ``gpool``; ``{data}`` and ``{out}`` are the paths.
        out: The suffix of the result.
        peers: Who else does it.
        needs: The module without which the data cannot be made.
        most_runs: No more runs than this, where times are not the point.
    """

    name: str
    title: str
    data: Data
    gpool: str
    out: str
    peers: tuple[Peer, ...]
    needs: str = ""
    most_runs: int | None = None

    def title_at(self, scale: float) -> str:
        """The title with the size of the data."""
        count, nbytes = self.data.count_at(scale), self.data.nbytes_at(scale)
        size = f"{nbytes / 1e9:.3g} GB" if nbytes >= 0.9995e9 else f"{nbytes / 1e6:.3g} MB"
        return self.title.format(size=size, count=f"{count:,}")

    def all_data(self) -> Iterator[Data]:
        """Everything that is read: the peers may read less than gpool."""
        yield self.data
        yield from (peer.data for peer in self.peers if peer.data)


NHWC = Data("nhwc", 10_000)
GZIP = Data("gzip", 2_500)
CHUNKS = "{data} {out} features 1,2 avg"
TEN = ("avg", "max", "min", "sum", "std", "var", "range", "l1", "l2", "rms")


def _codec(name: str, wanted: float, needs: str) -> Work:
    """A work on HDF5 with a codec that only HDF5 itself decodes."""
    words = f"{CHUNKS} --plugins" if needs else CHUNKS
    return Work(
        name=f"hdf5-{name}",
        title=f"{{size}} {name} HDF5, avg",
        data=Data(name, 2_500),
        gpool="avg {data} -o {out}",
        out=".h5",
        peers=(script("h5py chunk loop", "h5py_chunks", words, at_least(wanted)),),
        needs=needs,
    )


def _ten(name: str, title: str, data: Data, wanted: float | None) -> Work:
    """A work of ten poolings in one run, beside one of them."""
    one = gpool("gpool avg", "avg {data} -o {out}", wanted=at_most(wanted) if wanted else None)
    return Work(
        name=name,
        title=title,
        data=data,
        gpool="pool " + " ".join(f"-m {pooling}" for pooling in TEN) + " {data} -o {out}",
        out=".npz",
        peers=(replace(one, result=False),),
    )


def _memory(name: str, title: str, words: str, out: str, large: Data) -> Work:
    """A work of which only the memory matters, beside itself on a tenth of the data."""
    tenth = Data(large.kind, large.count // 10)
    return Work(
        name=f"memory-{name}",
        title=title,
        data=large,
        gpool=words,
        out=out,
        peers=(gpool("gpool, a tenth of it", words, wanted=SAME_MEMORY, data=tenth),),
        most_runs=1,
    )


WORKS: tuple[Work, ...] = (
    Work(
        name="start",
        title="one 0.4 MB npy, avg",
        data=Data("one", 1),
        gpool="avg {data} -o {out}",
        out=".npy",
        peers=(
            command(
                "python -c np.load, mean",
                "{python}",
                "-c",
                "import numpy as np; "
                "np.save(r'{out}', np.load(r'{data}').mean(axis=(0, 1), dtype='f8').astype('f4'))",
                wanted=at_most(1.6),
            ),
        ),
    ),
    Work(
        name="npy-avg",
        title="{size} float32 NHWC npy, avg",
        data=NHWC,
        gpool="avg {data} -o {out}",
        out=".npy",
        peers=(
            script("np.load, mean", "numpy_load", "{data} {out} 1,2 avg", at_least(2)),
            script("np.load mmap, mean", "numpy_mmap", "{data} {out} 1,2 avg"),
            script("torch mean", "torch_load", "{data} {out} 1,2 avg", needs="torch"),
            command("cat", "cat", "{data}", wanted=at_most(3), needs="cat", result=False),
        ),
    ),
    _memory("npy", "{size} NHWC npy, avg: memory", "avg {data} -o {out}", ".npy", NHWC),
    Work(
        name="npy-max-nchw",
        title="{size} float32 NCHW 7x7 npy, max",
        data=Data("nchw", 10_000),
        gpool="max --layout NCHW {data} -o {out}",
        out=".npy",
        peers=(
            script("np.load, max", "numpy_load", "{data} {out} 2,3 max", at_least(4)),
            script("torch max", "torch_load", "{data} {out} 2,3 max", needs="torch"),
        ),
    ),
    Work(
        name="npy-half-both",
        title="{size} float16 NHWC npy, avg and max",
        data=Data("nhwc_half", 10_000),
        gpool="pool -m avg -m max {data} -o {out}",
        out=".npz",
        peers=(
            script("np.load, mean, max", "numpy_load", "{data} {out} 1,2 avg max", at_least(10)),
            script("torch mean, max", "torch_load", "{data} {out} 1,2 avg max", needs="torch"),
        ),
    ),
    _ten("ten", "{size} of 14x14 maps, npy, ten poolings", Data("nhwc_larger", 2_500), 2.5),
    _ten("ten-7x7", "{size} of 7x7 maps, npy, ten poolings", NHWC, None),
    Work(
        name="hdf5-gzip",
        title="{size} gzip+shuffle HDF5, avg",
        data=GZIP,
        gpool="avg {data} -o {out}",
        out=".h5",
        peers=(
            script("h5py chunk loop", "h5py_chunks", CHUNKS, at_least(3.5)),
            command(
                "ncwa",
                *("ncwa", "-O", "-h", "-y", "avg", "-a", "phony_dim_1,phony_dim_2"),
                *("{data}", "{out}"),
                wanted=at_least(10),
                needs="ncwa",
            ),
        ),
    ),
    Work(
        name="jobs",
        title="{size} gzip+shuffle HDF5, avg, --jobs 2",
        data=GZIP,
        gpool="avg --jobs 2 {data} -o {out}",
        out=".h5",
        peers=(gpool("gpool --jobs 1", "avg --jobs 1 {data} -o {out}", wanted=at_least(1.8)),),
    ),
    _memory(
        "gzip",
        "{size} gzip+shuffle HDF5, avg: memory",
        "avg {data} -o {out}",
        ".h5",
        Data("gzip", 25_000),
    ),
    _codec("lzf", 1.7, ""),
    _codec("zstd", 1.7, "hdf5plugin"),
    _codec("blosc", 1.3, "hdf5plugin"),
    Work(
        name="hdf5-contiguous",
        title="{size} contiguous HDF5, avg",
        data=Data("contiguous", 2_500),
        gpool="avg {data} -o {out}",
        out=".h5",
        peers=(script("h5py [:], mean", "h5py_whole", CHUNKS, at_least(1.15)),),
    ),
    Work(
        name="npz",
        title="{size} deflated npz, 8 members, avg",
        data=Data("npz", 311),
        gpool="avg {data} -o {out}",
        out=".npz",
        peers=(script("np.load, mean", "npz_members", "{data} {out} 1,2", at_least(1.8)),),
    ),
    Work(
        name="files",
        title="{count} npy of 100 KB into one, avg",
        data=Data("files", 10_000),
        gpool="avg {data} -o {out}",
        out=".npy",
        peers=(script("np.load loop, stack", "npy_files", "{data} {out} 0,1", at_least(1.3)),),
    ),
    _memory(
        "files",
        "{count} npy of 100 KB into one, avg: memory",
        "avg {data} -o {out}",
        ".npy",
        Data("files", 10_000),
    ),
    Work(
        name="groups",
        title="{count} groups in one HDF5, max",
        data=Data("groups", 10_000),
        gpool="max --key descriptors --layout CL {data} -o {out}",
        out=".h5",
        peers=(script("h5py loop", "h5py_groups", "{data} {out} descriptors", at_least(1.3)),),
    ),
    _memory(
        "groups",
        "{count} groups in one HDF5, max: memory",
        "max --key descriptors --layout CL {data} -o {out}",
        ".h5",
        Data("groups", 10_000),
    ),
)
