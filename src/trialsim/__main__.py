"""The door to the command line: it hears an interrupt before anything large is imported, and until the process ends."""

from __future__ import annotations

import os
import sys

from trialsim.timing import hear, heard, status


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
