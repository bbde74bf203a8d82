"""``python -m gpool_cli`` is the command ``gpool``."""

from gpool_cli.cli.main import main

if __name__ == "__main__":
    main()
