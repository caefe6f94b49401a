"""The worker that runs TensorFlow Model Optimization: `python -m edgeseg.workers.tfmot JOB.json`.

It refuses Keras 3 and sets TF_USE_LEGACY_KERAS when it is imported, so it has a process of its own, with tf_keras. Each
line on stdout is a `WorkerEvent`. The worker ends when its stdin closes, as it does when the process that started it
ends.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from pathlib import Path
from typing import TextIO

from edgeseg.errors import EdgeSegError, one_line
from edgeseg.jsonio import from_json, to_json
from edgeseg.workers.job import WorkerEvent, WorkerJob


def main(arguments: list[str]) -> int:
    """Run the job in a file."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Libraries print to stdout; that is for events only.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    try:
        job = from_json(WorkerJob, Path(arguments[0]).read_bytes())
        from edgeseg.workers.tfmot_recipes import run

        say(events, WorkerEvent(answer=run(job, lambda event: say(events, event))))
    except EdgeSegError as error:
        say(events, WorkerEvent(error=str(error)))
        return error.exit_code
    except Exception as error:
        import traceback

        traceback.print_exc()
        said = f"TensorFlow Model Optimization failed: {type(error).__name__}: {one_line(error)}"
        say(events, WorkerEvent(error=said))
        return 1
    return 0


def say(events: TextIO, event: WorkerEvent) -> None:
    """Write one event as one line."""
    events.write(to_json(event, indent=None) + "\n")
    events.flush()


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
