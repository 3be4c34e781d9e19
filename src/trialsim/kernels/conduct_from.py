"""A trial in calendar time that goes on from patients who are given: the same trial as ``conduct``'s, word for word."""

from __future__ import annotations

import numpy as np

from trialsim.kernels import patient as field
from trialsim.kernels.conduct import run_each
from trialsim.kernels.groups import GROUP_FIELDS, SERIES
from trialsim.kernels.jit import kernel


@kernel
def simulate_from(  # type: ignore[no-untyped-def]
    tables, calendar, thresholds, k0, k1, replicate, given, opens, out, kept
):
    """One replicate (``out`` (1, columns), ``kept`` as for ``simulate``) whose first patients are ``given``.

    ``given`` (G, FIELDS): arrival, level and outcomes of the patients treated so far, in enrolment order; the trial
    meets them one after another, whether accrual is open or not. Nobody else arrives before the tick ``opens``,
    from which on time runs for the next arrival. For one group of patients, with rates that stay as they are.
    """
    levels, most = thresholds.shape[0], calendar.max_arrivals
    patients = np.zeros((most, field.FIELDS), dtype=np.int64)
    groups = np.zeros((1, GROUP_FIELDS), dtype=np.int64)
    series = np.zeros((1, SERIES, most + 1), dtype=np.int64)
    at_level, onsets = np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64)
    closures = np.zeros((2 * most + 2 * levels + tables.look_n.shape[0] + 2, 2), dtype=np.int64)
    own_dose = np.zeros(3, dtype=np.int64)
    run_each(
        tables,
        calendar,
        thresholds,
        False,
        k0,
        k1,
        replicate,
        out,
        kept,
        patients,
        groups,
        series,
        at_level,
        onsets,
        closures,
        own_dose,
        given,
        opens,
    )
