"""The command line: one short file per command; each parses, calls and prints.

What a command needs is imported when it runs, so that `tianti --help` answers at once.
"""

from __future__ import annotations

import os
import sys

ENVIRONMENT = {
    # Threads that wait for each other sleep instead of spinning: on a busy machine that is ten times as fast.
    "OMP_WAIT_POLICY": "passive",
    # The allocator keeps large blocks instead of giving them back: a tenth of the time of training small models. It is
    # read when a process starts, so it serves the worker processes.
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
    # Libraries draw bars of their own between ours.
    "TQDM_DISABLE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command. Errors raised on purpose become one readable line and exit status 1; `--debug` shows where."""
    from tianti.cli.application import application
    from tianti.core.exceptions import TiantiError

    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        application()([argument for argument in arguments if argument != "--debug"])
    except TiantiError as error:
        if debug:
            raise
        print(f"tianti: {error}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as end:
        # typer makes an exit of Ctrl-C.
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        print("tianti: stopped; the same command goes on where it was", file=sys.stderr)
        sys.exit(INTERRUPTED)
