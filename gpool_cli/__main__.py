"""Where the command ``gpool`` begins, and ``python -m gpool_cli``."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Nothing has begun: until there is a better answer, Ctrl-C just ends the process.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gpool_cli.cli.importing import importing

    with importing():
        from gpool_cli.cli.main import main as begin
    begin()


if __name__ == "__main__":
    main()
