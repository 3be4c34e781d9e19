"""The integers that rules, engines and results share."""

from __future__ import annotations

FUTILE, GO, CONSIDER = -1, -2, -3
"""Decisions at a look; a decision of 0 or more is the index of a later look."""

TOO_TOXIC = -4
"""What a look decides when toxicities reach its cut-off, whatever its table of responses says; never in that table."""

NEVER = 1 << 30
"""A toxicity cut-off that no count reaches."""

CONTINUE, REDUCE, STOP = 0, 1, 2
"""Actions when the toxicity boundary is crossed at a dose level."""

POOLED, NEW_DOSE_ONLY, RESTART = range(3)
"""Which patients are analysed after a dose change: all; those at the new dose; a fresh trial at the new dose."""

FUTILITY, TOXICITY, GO_EARLY, FINAL_NO_GO, FINAL_GO, FINAL_CONSIDER, TOXICITY_AT_N, ACCRUAL = range(8)
"""Why a trial ended: the first three before the planned n, ACCRUAL for want of evaluable patients."""

ALTERNATE, BLOCKS, COIN, FROM_START = range(1, 5)
"""How patients are allocated to two doses: after a trigger in turn, in permuted blocks or by a coin; by a coin from the
first patient on, each dose with a trial of its own."""

TICKS_PER_DAY = 1024
TICKS_PER_WEEK = 7 * TICKS_PER_DAY
DAYS_PER_MONTH = 30.4375
TICKS_PER_MONTH = 31168
"""Calendar time is counted in whole ticks (docs/conduct.md)."""

ENDS = 8
"""How many ways a trial can end."""
