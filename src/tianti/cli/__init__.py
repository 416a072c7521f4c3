"""The command line: one short file per command; each parses, calls and prints.

What a command needs is imported when it runs, so that `tianti --help` answers at once.
"""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> None:
    """Run one command. Errors raised on purpose become one readable line and exit status 1; `--debug` shows where."""
    from tianti.cli.application import application
    from tianti.core.exceptions import TiantiError

    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        application()([argument for argument in arguments if argument != "--debug"])
    except TiantiError as error:
        if debug:
            raise
        print(f"tianti: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("tianti: stopped; the same command goes on where it was", file=sys.stderr)
        sys.exit(130)
