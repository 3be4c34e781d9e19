"""Reading the reference tables: those that ship with the package, and those of running trials that are only here."""

from __future__ import annotations

from pathlib import Path

from trialsim.qualification.comparing import DATA as SHIPPED
from trialsim.qualification.comparing import ints as ints
from trialsim.qualification.comparing import printed as printed
from trialsim.qualification.comparing import response_rules as response_rules
from trialsim.qualification.comparing import rows as rows_in
from trialsim.qualification.comparing import toxicity_rules as toxicity_rules

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    return rows_in(name, DATA if (DATA / name).is_file() else SHIPPED)
