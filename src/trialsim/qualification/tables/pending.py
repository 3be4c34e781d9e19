"""Interim looks that weigh pending patients: posterior, table, and what a trial with one such look does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from trialsim.designs.pending_looks import Look, Posterior, above, futile_from
from trialsim.qualification.comparing import Compared, Reference, Row, named, near, same

WINDOW = 10**6
"""Ticks of a window of follow-up, in which the table's least follow-up is measured."""

POSTERIORS: tuple[Posterior, ...] = ("beta", "exact")


def posteriors(table: Sequence[Row]) -> Iterator[Compared]:
    """P(rate > p0) given responses, non-responses, and those whose window is not over."""
    for row in table:
        prior = float(row["prior_a"]), float(row["prior_b"])
        weights = [float(w) for w in row["weights"].split(";") if w]
        counts = int(row["responses"]), int(row["known_nonresponses"])
        where = named(row, "responses", "known_nonresponses", "weights", "p0")
        beta, exact = (
            above(float(row["p0"]), prior, *counts, weights, posterior) for posterior in POSTERIORS
        )
        yield near(f"beta_approximation, {where}", beta, row["beta_approximation"], 2e-12)
        yield near(f"exact, {where}", exact, row["exact"], 2e-12)
        yield near(f"quadrature, {where}", exact, row["quadrature"], 2e-12)


def look_of(row: Row) -> tuple[Look, float, tuple[float, float]]:
    """The interim look of a row, p0, and the prior."""
    n1, n, p0 = int(row["n1"]), int(row["N"]), float(row["p0"])
    prior = p0, 1 - p0
    cut_off = float(row["lambda"]) * (n1 / n) ** float(row["gamma"])
    r = max(x for x in range(n1 + 1) if above(p0, prior, x, n1 - x) < cut_off)
    return Look(n1, r, cut_off), p0, prior


def tables(table: Sequence[Row]) -> Iterator[Compared]:
    """Always, never, or the least total follow-up of the pending patients, in windows."""
    for row in table:
        look, p0, prior = look_of(row)
        y, pending = int(row["responses"]), int(row["pending"])
        told = row["futile_if_total_follow_up_of_pending_at_least(beta)"]
        where = named(row, "n1", "N", "p0", "responses", "pending")
        least = 2.0 * pending + 1
        if y <= look.r:
            ticks = futile_from([look], p0, prior, WINDOW, 1.0)[0, y, 0]
            least = int(ticks) / WINDOW - (look.n - y - pending)
        if told in ("always", "never"):
            here = "always" if least <= 0 else "never" if least > pending else f"{least:g}"
            yield same(f"futile, {where}", here, told)
        else:
            yield near(f"futile, {where}", least, told, 1.1 / WINDOW)


def patterns(ages: Sequence[float], p: float, window: float) -> Iterator[tuple[float, int, list[float]]]:
    """Probability, responses and weights of the pending, of everything that may be known of patients of these ages."""
    for seen in product((True, False), repeat=len(ages)):
        chance, responses, weights = 1.0, 0, []
        for has, age in zip(seen, ages, strict=True):
            w = min(age / window, 1.0)
            chance *= p * w if has else 1 - p * w
            responses += has
            if not has:
                weights.append(w)
        if chance:
            yield chance, responses, weights


def characteristics(table: Sequence[Row]) -> Iterator[Compared]:
    """Patients at regular times, the look when the next one arrives, pending ones who respond later or do not."""
    import numpy as np
    from scipy.stats import binom

    for row in table:
        method = next((each for each in POSTERIORS if each == row["method"]), None)
        if method is None:  # a rule that does not weigh
            continue
        look, p0, prior = look_of(row)
        n, p = int(row["N"]), float(row["p"])
        every, window = float(row["weeks_between_patients"]), float(row["window_weeks"])
        stop = go = 0.0
        for chance, y, weights in patterns([every * (look.n - i) for i in range(look.n)], p, window):
            pending = [w for w in weights if w < 1]
            known = len(weights) - len(pending)
            if above(p0, prior, y, known, pending, method) < look.cut_off:
                stop += chance
                continue
            late = np.ones(1)
            for w in pending:
                later = p * (1 - w) / (1 - p * w)
                late = np.convolve(late, [1 - later, later])
            more = np.convolve(late, np.asarray(binom.pmf(range(n - look.n + 1), n - look.n, p)))
            go += chance * float(more[max(int(row["final_cutoff"]) - y, 0) :].sum())
        where = named(row, "n1", "N", "p0", "weeks_between_patients", "method", "p")
        yield near(f"p_stop_look1, {where}", stop, row["p_stop_look1"], 2e-12)
        yield near(f"p_go, {where}", go, row["p_go"], 2e-12)
        yield near(f"en, {where}", look.n + (1 - stop) * (n - look.n), row["en"], 1e-8)


APART = "closed forms, quadrature and enumeration, written apart from trialsim"
REFERENCES = (
    Reference("running/pending_looks_posterior", "posteriors with pending patients", APART, posteriors, 20, 60),
    Reference("running/pending_looks_table", "what is futile with pending patients", APART, tables, 55, 55),
    Reference("running/pending_looks_oc", "a trial with a look that weighs", APART, characteristics, 24, 72),
)  # fmt: skip
