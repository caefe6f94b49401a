"""The `edgeseg` command, also as `python -m edgeseg`; Ctrl-C leaves no traceback, not even while the rest is loaded."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit; see `edgeseg.cli.main.main`."""
    try:
        from edgeseg.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(128 + signal.SIGINT)
    finally:
        exec("")  # else Python may end by SIGINT, whatever the exit code: it remembers one that came in such code
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # its own end is loud about another one


if __name__ == "__main__":
    main()
