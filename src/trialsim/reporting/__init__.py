"""Answers in words, one file an answer; a run, whose report is long, in a package of its own."""

from trialsim.reporting.rerun import reproduce
from trialsim.reporting.run.folder import report
from trialsim.writing.folder import check_target

__all__ = ["check_target", "report", "reproduce"]
