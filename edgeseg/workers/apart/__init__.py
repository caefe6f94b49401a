"""Work on what nobody vouches for, in processes that have limits and can be killed.

`Pool` keeps such processes warm, `Process` is one of them, `Limits` what one piece of work may take, and `listen` is
what runs inside. Messages are JSON and arrays go through shared memory, both ways: nothing is unpickled, so a process
that was taken over can give wrong pixels and no more.
"""

from __future__ import annotations

from edgeseg.workers.apart.limits import Limits
from edgeseg.workers.apart.listen import Inside, listen
from edgeseg.workers.apart.pool import Pool
from edgeseg.workers.apart.process import Process

__all__ = ["Inside", "Limits", "Pool", "Process", "listen"]
