"""A run as a folder: one page to read, the numbers behind it, the figures, and what is needed to run it again."""

from trialsim.reporting.folder import check_target, report
from trialsim.reporting.rerun import reproduce

__all__ = ["check_target", "report", "reproduce"]
