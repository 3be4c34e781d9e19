"""The door to the command line: it hears an interrupt before anything large is imported, and until the process ends."""

from __future__ import annotations

import gc
import os
import sys

from trialsim.timing import hear, heard, status

gc.set_threshold(
    50_000, 20, 20
)  # modules and figures are many small objects, and none of them is garbage yet
# before NumPy: no matrix here is large, and threads for them cost a quick command more than its work
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run the command line in a process of its own."""
    hear()
    try:
        from trialsim.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    except SystemExit:
        if not heard:
            raise
    if heard:
        # everything is cleared up; what a thread still works out is waited for no longer
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(status())


if __name__ == "__main__":
    main()
