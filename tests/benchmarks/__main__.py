"""python -m tests.benchmarks [write] [compile] [send] [distance] [remember] [kill] [start]: how fast it is, beside what
one would use instead. What only `send` compares with comes with `pip install -e '.[benchmark]'`.

Every figure is a ratio within one run: median (lowest–highest) of several rounds. Nothing here passes or fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.benchmarks import compiling, distance, killing, remembering, sending, starting, writing

FIGURES: dict[str, Callable[[], None]] = {
    "write": writing.main,
    "compile": compiling.main,
    "send": sending.main,
    "distance": distance.main,
    "remember": remembering.main,
    "kill": killing.main,
    "start": starting.main,
}

wanted = sys.argv[1:] or [*FIGURES]
if not set(wanted) <= set(FIGURES):
    sys.exit(__doc__)
for name in wanted:
    FIGURES[name]()
