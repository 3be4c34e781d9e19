"""Record what simulated trials count in this version, and the digests of the reference tables.

``python tools/record.py`` writes ``recorded.csv`` and ``SHA256SUMS`` of ``src/trialsim/qualification/data``: after a
change of numbers that the changelog tells, or of a table.
"""

from __future__ import annotations

from trialsim.qualification.comparing import DATA
from trialsim.qualification.installation import DIGESTS, digest
from trialsim.qualification.operation import RECORDED, recording


def recorded() -> str:
    """The content of ``recorded.csv``."""
    return "scenario,case,sha256\n" + "".join(f"{','.join(row)}\n" for row in recording())


def digests() -> str:
    """The content of ``SHA256SUMS``, as sha256sum writes it."""
    files = sorted(DATA.rglob("*.csv"))
    return "".join(f"{digest(path)}  {path.relative_to(DATA).as_posix()}\n" for path in files)


def main() -> None:
    """Write both."""
    RECORDED.write_bytes(recorded().encode())
    DIGESTS.write_bytes(digests().encode())


if __name__ == "__main__":
    main()
