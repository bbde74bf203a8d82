"""Pipes, signals, terminals and closed streams, with real processes."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.signals import by_default

GPOOL = f"{sys.executable} -m gpool_cli"
SAMPLES = Path(__file__).parent.parent / "sample_data"
ESCAPE = b"\x1b"
COLOUR = re.compile(rb"\x1b\[[0-9;]*(3[0-7]|9[0-7])m")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "GPOOL_LAYOUT", "GPOOL_SUMMARY", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    (tmp_path / "sample_data").symlink_to(SAMPLES)
    np.save("a.npy", np.ones((4, 5, 3), "float32"))
    np.save("b.npy", np.full((2, 2, 7), 2.0))
    return tmp_path


@pytest.fixture
def shell(here: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a line of bash in which gpool is this gpool; no traceback may come of it."""

    def call(line: str) -> subprocess.CompletedProcess[bytes]:
        script = f'gpool() {{ {GPOOL} "$@"; }}\n{line}'
        done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr
        return done

    return call


def start(*words: str, **more) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gpool_cli", *words],
        stderr=subprocess.PIPE,
        preexec_fn=by_default,
        **more,
    )


def on_terminal(
    line: str, columns: int = 80, sinks: str = "out err", env: dict[str, str] | None = None
) -> bytes:
    """What a terminal of so many columns shows of a line of bash."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", f'gpool() {{ {GPOOL} "$@"; }}\n{line}'],
        stdin=subprocess.DEVNULL,
        stdout=theirs if "out" in sinks else subprocess.DEVNULL,
        stderr=theirs if "err" in sinks else subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )
    os.close(theirs)
    shown = []
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that nobody has the terminal any more
            break
        if not part:
            break
        shown.append(part)
    os.close(ours)
    process.wait(timeout=60)
    return b"".join(shown)


def plain(shown: bytes) -> list[str]:
    """The lines that stay, without what was erased."""
    kept = re.sub(rb"[^\n]*\x1b\[2K", b"", shown)
    return re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", kept).decode().replace("\r", "").splitlines()


# Pipes


def test_one_gpool_reads_what_another_writes(shell):
    done = shell("set -o pipefail; gpool avg sample_data -o - -f npy | gpool info - --json")
    assert done.returncode == 0
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["shape"][-1] for entry in entries] == [1280] * 4 + [1] + [1280] * 4


def test_only_data_goes_to_standard_output(shell):
    done = shell("gpool avg sample_data -o -")
    stream = io.BytesIO(done.stdout)
    for _ in range(9):
        np.load(stream)
    assert not stream.read()
    assert b"9 maps of 8 files" in done.stderr
    assert ESCAPE not in done.stderr


def test_arrays_one_after_the_other_in_a_pipe(shell):
    done = shell("set -o pipefail; cat a.npy b.npy | gpool max - -o - | cat")
    assert done.returncode == 0
    stream = io.BytesIO(done.stdout)
    assert [np.load(stream).shape for _ in range(2)] == [(1, 1, 3), (1, 1, 7)]
    assert not stream.read()


@pytest.mark.parametrize(
    ("more", "unbuffered"),
    [*((more, "") for more in ("", "-f csv", "-f h5", "--stack")), ("", "1"), ("-f csv", "1")],
)
def test_a_reader_that_leaves_is_not_an_error_to_talk_about(
    shell, here, monkeypatch, more, unbuffered
):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    np.save("big.npy", np.ones((200, 2, 2, 1000), "float32"))
    done = shell(f"gpool max big.npy -o - -q {more} | head -c1; echo ${{PIPESTATUS[0]}} >&2")
    assert len(done.stdout) == 1
    assert done.stderr == b"141\n"


def test_a_reader_of_the_summary_may_leave_too(shell, here):
    # The table must be longer than what a pipe holds.
    os.mkdir("long")
    for i in range(1200):
        np.save(f"long/{i:060}.npy", np.ones((1, 1, 1)))
    done = shell("gpool info long | head -c1; echo ${PIPESTATUS[0]} >&2")
    assert done.stderr == b"141\n"
    done = shell("(gpool avg . nope.npy 2>&1 >/dev/null; echo $? > code) | true; cat code")
    assert done.stdout == b"141\n"


def test_results_come_out_of_a_pipe_while_more_is_read(here):
    process = start("max", "-", "-o", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for path in ("a.npy", "b.npy"):
        process.stdin.write(Path(path).read_bytes())
        process.stdin.flush()
        head = process.stdout.read(128)  # would wait for ever if the result were kept back
        assert head.startswith(b"\x93NUMPY")
        process.stdout.read(12 if path == "a.npy" else 56)
    process.communicate()
    assert process.returncode == 0


def test_a_list_on_standard_input(shell):
    done = shell("find -L . -name '*.npy' -print0 | sort -z | gpool avg --files-from - -0 -q -o x/")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(list(Path("x").glob("*.npy"))) == 5


# No terminal


def test_under_cron_the_summary_is_printed(shell):
    done = shell("gpool max a.npy 0<&- > log; cat log")
    lines = done.stdout.decode().splitlines()
    assert lines[0].split()[:2] == ["source", "shape"]
    assert lines[2].split()[-3:] == ["1", "1", "1"]
    assert lines[3].startswith("1 map of 1 file · 240 B in")
    assert max(map(len, lines)) <= 80
    assert (done.stderr, ESCAPE in done.stdout) == (b"", False)


@pytest.mark.parametrize("setting", ["FORCE_COLOR=1 COLORTERM=truecolor", "TERM=dumb"])
def test_no_escapes_ever_go_into_a_pipe(shell, setting):
    done = shell(f"export {setting}; gpool avg sample_data nope.npy; gpool info . ; gpool avg -h")
    assert ESCAPE not in done.stdout + done.stderr


@pytest.mark.parametrize("line", ["gpool avg a.npy", "gpool avg a.npy -o -", "gpool info a.npy"])
def test_a_closed_standard_output_cannot_be_written(shell, line):
    done = shell(f"{line} >&-")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith(
        b"gpool: error: can't write standard output: Bad file descriptor"
    )


def test_with_a_closed_standard_output_files_are_written_whole(shell):
    assert shell("gpool avg a.npy -q -o out.npy >&-").returncode == 0
    assert shell("gpool avg a.npy -q -o out.h5 >&- 2>&- <&-").returncode == 0
    assert np.load("out.npy").shape == (1, 1, 3)


@pytest.mark.parametrize("line", ["gpool avg - ", "gpool info -", "gpool avg --files-from -"])
def test_a_closed_standard_input_is_empty(shell, line):
    done = shell(f"{line} <&-")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_closed_standard_error_does_no_harm(shell):
    done = shell("gpool avg a.npy nope.npy 2>&-")
    assert done.returncode == 1
    assert b"1 map of 1 file" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "gpool avg a.npy",
        "gpool avg a.npy -o -",
        "gpool avg a.npy -o - -f csv",
        "gpool avg a.npy -o - -f npz",
        "gpool info a.npy",
        "gpool avg a.npy --dry-run",
        "gpool --help",
        "gpool -V",
    ],
)
def test_a_full_device_is_one_line_and_exit_code_3(shell, line):
    done = shell(f"{line} > /dev/full")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert b"can't write standard output: No space left on device" in done.stderr


def test_a_full_device_for_errors_is_no_traceback(shell):
    assert shell("gpool avg nope.npy 2> /dev/full").returncode == 3


def test_an_output_on_a_full_device_leaves_nothing(shell, here, monkeypatch):
    # What Python compiles would be cut short as well, and found so by the runs after this one.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    done = shell("ulimit -f 1; trap '' XFSZ; gpool max big.npy -q -o out.npy")
    assert done.returncode == 1  # no such file, to begin with
    np.save("big.npy", np.ones((100, 2, 2, 100)))
    done = shell("ulimit -f 10; trap '' XFSZ; gpool max big.npy -q -o out.npy")
    assert done.returncode == 3
    assert done.stderr.startswith(b"gpool: error: can't write out.npy: File too large (")
    assert sorted(os.listdir()) == ["a.npy", "b.npy", "big.npy", "sample_data"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_that_knows_few_characters_gets_the_rest_escaped(shell, here, encoding):
    os.rename("a.npy", "é日.npy")
    done = shell(f"export PYTHONIOENCODING={encoding}; gpool avg . ; gpool info --json é日.npy")
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["source"] == "é日.npy"


# Signals


def wait_for(what: Callable[[], object]) -> None:
    for _ in range(3000):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "hung up"),
    ],
)
def test_a_signal_keeps_what_is_finished_and_leaves_nothing_half(here, number, code, word):
    half = Path("a.npy").read_bytes()
    process = start("max", "b.npy", "-", "-o", "out", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(half + half[:-4])
    process.stdin.flush()
    wait_for(lambda: Path("out").exists() and len(list(Path("out").glob("*.part"))) == 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert said.decode() == (
        f"gpool: error: {word}; what was finished is kept (go on with --resume)\n"
    )
    assert sorted(os.listdir("out")) == [".gpool-journal", "b.npy"]
    assert np.load("out/b.npy").shape == (1, 1, 1, 7)


@pytest.mark.parametrize("output", ["out.h5", "out.npy", "out.csv"])
def test_a_signal_leaves_no_part_of_a_file(here, output):
    before = sorted(os.listdir("."))
    process = start("max", "b.npy", "-", "-o", output, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(Path("a.npy").read_bytes()[:-4])
    process.stdin.flush()
    wait_for(lambda: len(os.listdir(".")) > len(before))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, sorted(os.listdir("."))) == (130, before)
    assert said.decode() == (
        "gpool: error: interrupted; an output file is written when it is whole "
        "(a directory keeps what is finished)\n"
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_many_files(here, number, code):
    os.mkdir("many")
    for i in range(600):
        os.link("a.npy", f"many/{i:04}.npy")
    process = start("max", "many", "-o", "out", stdout=subprocess.PIPE)
    wait_for(lambda: len(list(Path("out").glob("*.npy"))) > 20)
    process.send_signal(number)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said, len(errors.splitlines())) == (code, b"", 1)
    names = sorted(os.listdir("out"))
    assert names.pop(0) == ".gpool-journal"
    assert 20 <= len(names) < 600
    assert names == [f"{i:04}.npy" for i in range(len(names))]
    for name in names:
        assert np.load(f"out/{name}").shape == (1, 1, 1, 3)


def test_nohup_is_respected(here):
    """A terminal that goes away tells every process of a run."""
    for name in ("c.h5", "d.h5"):
        with h5py.File(name, "w") as file:
            file["m"] = np.ones((4, 5, 3), "f4")
    words = f"{GPOOL} max c.h5 - d.h5 -o out.npz"
    process = subprocess.Popen(
        ["bash", "-c", f"trap '' HUP; exec {words}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for(lambda: any(name.startswith(".gpool-") for name in os.listdir()))
    os.killpg(process.pid, signal.SIGHUP)
    _, said = process.communicate(Path("b.npy").read_bytes(), timeout=30)
    assert (process.returncode, said) == (0, b"")


def test_ctrl_c_while_it_starts_is_no_traceback(here):
    """It comes as soon as anything of gpool runs, before there is a handler."""
    code = (
        "import os, signal, sys; sys.argv[1:] = ['avg', 'a.npy'];"
        "sys.modules['click'] = type(sys)('click');"
        "sys.modules['click'].__getattr__ = lambda name: os.kill(os.getpid(), signal.SIGINT);"
        "from gpool_cli.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize("out", ["all.npy", "all.h5", "all.csv"])
def test_a_signal_leaves_no_half_of_a_file(here, out):
    process = start("max", "a.npy", "-", "-o", out, stdin=subprocess.PIPE)
    wait_for(lambda: any(name.startswith(".gpool-") for name in os.listdir()))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert sorted(os.listdir()) == ["a.npy", "b.npy", "sample_data"]


# Terminals


def test_binary_is_never_put_on_a_terminal(here):
    for name in ("npy", "npz", "h5"):
        shown = on_terminal(f"gpool avg a.npy -o - -f {name}; echo $?", sinks="out err")
        assert plain(shown) == [
            f"gpool: error: {name} is binary, and standard output is a terminal (pipe it into a "
            "program, choose -f csv, or name a file with -o)",
            "2",
        ]


def test_text_may_be_put_on_a_terminal(here):
    shown = on_terminal("gpool max a.npy -o - -f csv 2>/dev/null")
    assert plain(shown)[1] == "a.npy,,0,max,1.0,1.0,1.0"
    assert ESCAPE not in shown


def test_binary_may_go_through_a_pipe_though_errors_go_to_a_terminal(here):
    shown = on_terminal("gpool max a.npy -o - | wc -c", sinks="out err")
    assert "1 map of 1 file" in shown.decode()
    assert "140" in plain(shown)[-1]


def test_what_is_drawn_follows_its_own_sink(here):
    to_file = "gpool avg sample_data > log; gpool avg nope.npy > log2"
    assert ESCAPE not in on_terminal(to_file) + Path("log").read_bytes()
    shown = on_terminal("gpool avg sample_data -o - | cat > data", columns=120)
    assert ESCAPE in shown  # the summary, on standard error
    assert max(map(len, plain(shown))) > 90  # which is this wide, whatever standard output is
    assert Path("data").read_bytes().startswith(b"\x93NUMPY")


def test_colour_follows_no_color_and_term(here):
    for line in ("gpool avg sample_data", "gpool info sample_data"):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": ""}):
            shown = on_terminal(line, env=env)
            assert "source" in plain(shown)[0]
            assert not COLOUR.search(shown)
            assert (ESCAPE in shown) == (env != {"TERM": "dumb"})


def test_a_map_is_drawn_in_the_colours_of_the_terminal(here):
    np.save("m.npy", np.array([[0.0, 1.0], [0.5, np.nan]]))
    shown = on_terminal("gpool show m.npy", 42, env={"COLORTERM": "truecolor"})
    signs = re.findall(rb"\x1b\[38;2;([\d;]+);48;2;([\d;]+)m\xe2\x96\x80", shown.split(b"0 ")[0])
    # Ten lines of 20 cells: five lines have the upper values on both halves.
    upper = [(b"68;1;84",) * 2] * 10 + [(b"253;231;37",) * 2] * 10
    lower = [(b"33;145;140",) * 2] * 10 + [(b"255;0;255",) * 2] * 10
    assert signs == 5 * upper + 5 * lower
    lines = plain(shown)
    assert lines[1:-2] == ["\u2580" * 20] * 10
    assert lines[-2:] == [f"0 {16 * chr(0x2580)} 1   \u2588 NaN: 1 cell", "2x2 values"]


def test_a_map_is_drawn_in_shades_where_there_are_no_colours(here):
    np.save("m.npy", np.array([[0.0, 1.0]]))
    drawn = ["\u00b7" * 40 + "\u2588" * 40] * 20
    for setting in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "xterm"}):
        shown = on_terminal("gpool show m.npy", env={"COLORTERM": "", **setting})
        assert plain(shown)[1:-2] == drawn
        assert not COLOUR.search(shown)


def test_a_reader_of_a_picture_may_leave(shell, here):
    np.save("m.npy", np.zeros((7, 7, 256)))
    done = shell("gpool show m.npy --top 256 | head -n 1; echo ${PIPESTATUS[0]}")
    assert done.stdout.splitlines()[-1] in (b"0", b"141")
    assert done.stderr == b""


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(here, columns):
    for line in ("gpool avg sample_data -o out/ --overwrite", "gpool info sample_data"):
        lines = plain(on_terminal(line, columns))
        table = [text for text in lines if not text.startswith(("skipped", "gpool:"))]
        assert max(map(len, table)) <= columns
        assert any("pictures" in text or "nhwc" in text for text in table)
        assert len(table[0].split()) <= (6 if columns <= 80 else 12)


def test_a_terminal_without_a_size_is_80_wide(here):
    assert max(map(len, plain(on_terminal("gpool avg sample_data", 0)))) <= 80


def test_progress_is_for_terminals_and_long_runs(here):
    os.mkdir("many")
    for i in range(3):
        os.link("a.npy", f"many/{i}.npy")
    # A patience of zero makes every run a long one.
    line = (
        f'{sys.executable} -c "import gpool_cli.report.progress as p; p._PATIENCE = -1; '
        "from gpool_cli.cli.main import run; run(['avg', 'many', '-o', 'o', '--overwrite' WORDS])\""
    )
    shown = on_terminal(line.replace("WORDS", ""), columns=100)
    assert b"3/3" in shown
    assert b"3/3" in shown
    assert plain(shown)[-1].startswith("3 maps of 3 files")
    assert b"3/3" not in on_terminal(line.replace("WORDS", ", '-q'"))
    assert b"3/3" not in on_terminal(line.replace("WORDS", "") + " 2>log")
    assert Path("log").read_bytes() == b""


def test_an_error_stands_on_a_line_of_its_own_beside_the_progress_bar(here):
    os.mkdir("many")
    for i in range(3):
        os.link("a.npy", f"many/{i}.npy")
    Path("many/1bad.npy").write_bytes(b"bad")
    line = (
        f'{sys.executable} -c "import gpool_cli.report.progress as p; p._PATIENCE = -1; '
        "from gpool_cli.cli.main import run; run(['avg', 'many'])\""
    )
    lines = plain(on_terminal(line, columns=100))
    assert [text for text in lines if "many/1bad.npy: is no npy" in text][0].startswith("gpool:")


def test_python_m_and_the_command_are_one(shell):
    assert shell("gpool -V").stdout == shell(f"{Path(sys.executable).parent}/gpool -V").stdout


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
def test_numpy_starts_no_threads(here):
    script = (
        "import atexit, os, sys\n"
        "from gpool_cli.cli.main import main\n"
        "atexit.register(lambda: print(len(os.listdir('/proc/self/task'))))\n"
        "sys.argv[1:] = ['avg', 'a.npy', '-o', 'out.npy', '--summary', 'none']\n"
        "main()\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    assert subprocess.check_output([sys.executable, "-c", script], env=environment) == b"1\n"


def test_a_pipe_that_ends_early_is_told_once(shell):
    done = shell("head -c 200 a.npy | gpool avg -")
    assert done.returncode == 1
    assert done.stderr.count(b"gpool: error:") == 1
    assert b"bytes short" in done.stderr


@pytest.mark.parametrize(
    "words",
    [["http://127.0.0.1:1/x.npy"], ["s3://b/tree", "-o", "q.npy"], ["a.npy", "-o", "s3://b/x.npy"]],
)
def test_a_url_without_the_packages_for_it_names_the_extra(here, words):
    absent = "import sys; sys.modules['fsspec'] = None; "
    begin = f"sys.argv = {['gpool', 'avg', *words]}; from gpool_cli.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", absent + begin], capture_output=True, timeout=60)
    assert done.returncode == 1
    said = b"needs fsspec, which is not installed (install it with: pip install 'gpool[remote]')"
    assert said in done.stderr
    assert b"bug" not in done.stderr
