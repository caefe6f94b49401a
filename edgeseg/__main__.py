"""`python -m edgeseg` is the `edgeseg` command."""

from __future__ import annotations

from edgeseg.cli.main import main

if __name__ == "__main__":
    main()
