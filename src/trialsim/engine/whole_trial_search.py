"""One pass over n for all cut-offs that keep error rates under a scenario's own protocol and truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from trialsim.codes import CONTINUE, NEVER
from trialsim.designs.binomial import upper_tail
from trialsim.designs.exactly import alone, decimal
from trialsim.designs.rules import two_way
from trialsim.designs.single_stage import SingleStage
from trialsim.designs.target import Target
from trialsim.engine.exact import MAX_STATES
from trialsim.engine.operating import not_exact
from trialsim.engine.whole_trial_found import Robust
from trialsim.errors import DesignError
from trialsim.kernels.tables import Float64, Int32
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.scenario.pending import waiting
from trialsim.scenario.truth import Rates

Progress = Callable[[int, int], None]


class Able(NamedTuple):
    """Of the cut-offs (n1, r1, r) of one n: which of them ``fits``, largest P(go) over null cases, least over
    alternatives; EN by (n1, r1)."""

    fits: Any
    alpha: Float64
    power: Float64
    en: Float64


class Search:
    """One pass over n: for each the joint law of what is seen at every n1 and at n, which serves every cut-off."""

    def __init__(
        self,
        scenario: Scenario,
        spec: Any,
        null: tuple[str, ...],
        alternative: tuple[str, ...],
        target: Target,
        progress: Progress | None,
    ) -> None:
        from trialsim.kernels.doubts import ROUNDING

        scenario = waiting(scenario)  # exact answers know every outcome
        self.scenario, self.spec, self.null, self.alternative = scenario, spec, null, alternative
        self.rounding = ROUNDING
        self.alpha, self.beta, self.progress = target.alpha, target.beta, progress
        self.power = 1 - target.beta
        assert target.nmax is not None
        self.nmax = target.nmax
        self.two_stage = spec.kind == "simon"
        self.stopped = ""
        self.order = [*alternative, *null]
        self.weight_p1 = float(getattr(spec, "en_weight_p1", None) or 0.0)
        n, trial = self._first()
        self.compiled, self.range = trial, (n, self.nmax)
        if why := not_exact(trial):
            raise DesignError(f"a robust search needs an exact answer, and there is none: {why}")
        for name in self.order:
            if scenario.truth[name].change:
                raise DesignError(
                    f"truth.{name}.drift: a robust search takes response rates that stay as they are; name other cases "
                    "as null and alternative"
                )
        self.cells: dict[str, Float64] = {}
        self.highest: dict[str, float] = {}
        for name in dict.fromkeys((*null, *alternative)):
            cells = trial.truth(name).cells(trial.rules.replaced)[:, 0]
            self.cells[name] = np.ascontiguousarray(cells)
            self.highest[name] = float((cells[:, 4:].sum(axis=1) / cells[:, 2:].sum(axis=1)).max())

    def _first(self) -> tuple[int, Compiled]:
        """The least n at which the toxicity rule can be applied, and the trial of that size."""
        reason = ""
        for n in range(2 if self.two_stage else 1, self.nmax + 1):
            try:
                return n, self.trial(n)
            except DesignError as error:
                reason = str(error)
        raise DesignError(reason or f"nmax = {self.nmax} leaves no room for a design")

    def trial(self, n: int) -> Compiled:
        """The protocol at n patients; its looks are not used."""
        return Compiled.of(self.scenario.model_copy(update={"design": of_size(n)}))

    def bound(self, n: int) -> Int32:
        """(K, M + 1, 2) toxicities that end a level at n patients, and that end the trial there.

        Amendments end a level at a number of patients.
        """
        monitor = self.trial(n).rules.monitor
        rows = [(row, monitor.stops_from(level)) for level, row in enumerate(monitor.act_ge)]
        bound = np.ascontiguousarray(np.array(rows, dtype=np.int32).transpose(0, 2, 1))
        before = 0
        for level, action in enumerate(monitor.action):
            at = monitor.at_enrolled[level]
            if action == CONTINUE:
                bound[level] = NEVER
                if at:
                    bound[level, at - before :, 0] = 0
                    before = at
            elif at:
                raise DesignError("a robust search does not know this toxicity rule")
        bound[:, 0] = NEVER
        return bound

    def largest_r(self, bound: Int32, n: int, power: float) -> int:
        """The largest r that is exceeded with the power in every alternative if there is no look before n; -1: none.

        Looks for futility only take from P(go), so no design of n patients can have a larger r.
        """
        from trialsim.kernels.whole_trial import every_single_stage

        most = n
        for name in self.alternative:
            # first a limit that costs nothing: all patients treated, at the best dose
            most = min(most, int((upper_tail(n, self.highest[name])[1:] >= power - self.rounding * n).sum()))
        for name in self.alternative:
            if most > 0:
                at_n, _ = every_single_stage(bound, self.cells[name], n, most - 1)
                most = min(most, int((np.cumsum(at_n[::-1])[::-1][1:] >= power - self.rounding * n).sum()))
        return most - 1

    def table(self, bound: Int32, n: int, r_max: int, name: str) -> tuple[Float64, Float64]:
        """Of a case P(go) by (n1, r1, r) and EN by (n1, r1); of a single stage by (0, 0, r) and (0, 0)."""
        from trialsim.kernels.whole_trial import every_cut_off, every_single_stage

        if self.two_stage:
            go, en, _, _ = every_cut_off(bound, self.cells[name], n, r_max)
            return go, en
        at_n, treated = every_single_stage(bound, self.cells[name], n, r_max)
        return np.cumsum(at_n[::-1])[::-1][1:][None, None, :], np.full((1, 1), treated[-1])

    def able(self, bound: Int32, n: int, r_max: int, power: float) -> Able | None:
        """The cut-offs that keep alpha in every null case and have the power in every alternative; None if none does.

        The case that ruled out the last ones at an earlier n is asked first: most n need no other.
        """
        tables: dict[str, tuple[Float64, Float64]] = {}
        fits: Any = True
        for name in self.order:
            tables[name] = self.table(bound, n, r_max, name)
            go = tables[name][0]
            gap = go - power if name in self.alternative else self.alpha - go
            fits = (gap >= -self.rounding * n) & (self.allowed(n, go.shape) if fits is True else fits)
            for n1, r1, r in np.argwhere(fits & (gap <= self.rounding * n)).tolist():
                fits[n1, r1, r] = self.attains(bound, n, (n1, r1, r), name, power)
            if not fits.any():
                self.order.remove(name)
                self.order.insert(0, name)
                return None
        null, good = ([tables[name] for name in names] for names in (self.null, self.alternative))
        return Able(
            fits,
            np.max([go for go, _ in null], axis=0),
            np.min([go for go, _ in good], axis=0),
            (1 - self.weight_p1) * null[0][1] + self.weight_p1 * good[0][1],
        )

    def attains(self, bound: Int32, n: int, cuts: tuple[int, int, int], name: str, power: float) -> bool:
        """Whether cut-offs keep alpha, or have the power, in a case where rounding leaves that open.

        Decided by fractions where the design is by itself: nothing acts on toxicity, everybody is evaluable. Elsewhere
        no tie is known, and none is claimed.
        """
        rates = self.compiled.truth(name)
        if not isinstance(rates, Rates) or rates.evaluable < 1 or (bound[:, 1:] < NEVER).any():
            return False
        n1, r1, r = cuts
        looks = two_way((n1, n), (r1, r), (None, r)) if self.two_stage else two_way((n,), (r,), (r,))
        p_go = alone(looks, decimal(rates.response[0])).p_go
        if name not in self.alternative:
            return p_go <= decimal(self.alpha)
        return p_go >= (1 - decimal(self.beta) if power == self.power else decimal(power))

    def allowed(self, n: int, shape: tuple[int, ...]) -> Any:
        """Which (n1, r1, r) the limits of the design's block allow."""
        n1, r1, r = np.ogrid[tuple(slice(size) for size in shape)]
        if not self.two_stage:
            return (n1 == 0) & (r1 == 0) & (r >= 0)
        limits = self.spec.limits()
        low, high = limits.share or (0.0, 1.0)
        fits = (n1 >= 1) & (n1 >= low * n - 1e-9) & (n1 <= high * n + 1e-9) & (r1 <= r) & (r1 < n1)
        if limits.n1 is not None:
            fits &= n1 == limits.n1
        return fits & (limits.n is None or n == limits.n)

    def sizes(self) -> Iterator[tuple[int, Int32]]:
        """Every n with its toxicity bounds, until one needs more memory than allowed."""
        for n in range(self.range[0], self.nmax + 1):
            if self.progress is not None:
                self.progress(n, self.nmax)
            yield n, self.bound(n)

    def _fits(self, bound: Int32, n: int, r_max: int) -> bool:
        from trialsim.kernels.whole_trial import work_space

        if not self.two_stage or work_space(bound, n, r_max) <= MAX_STATES:
            return True
        self.range = (self.range[0], n - 1)
        self.stopped = (
            f"a search beyond n = {n - 1} would need more memory than the {MAX_STATES:,} numbers allowed"
        )
        return False

    def best_of_each_n(self) -> Iterator[Robust]:
        """The design with the least EN of every n at which one keeps alpha and power in all cases."""
        for n, bound in self.sizes():
            r_max = self.largest_r(bound, n, self.power)
            if r_max < 0:
                continue
            if not self._fits(bound, n, r_max):
                return
            if able := self.able(bound, n, r_max, self.power):
                yield self._design(n, able, np.where(able.fits, able.en[:, :, None], np.inf).argmin())

    def most_power(self) -> Robust | None:
        """Of the designs that keep alpha in every null case the one with the largest P(go) over the alternatives."""
        best: Robust | None = None
        for n, bound in self.sizes():
            more = (best.power if best else 0.0) + 2 * self.rounding * n
            r_max = self.largest_r(bound, n, more)
            if r_max < 0:
                continue
            if not self._fits(bound, n, r_max):
                break
            if able := self.able(bound, n, r_max, more):
                best = self._design(n, able, np.where(able.fits, able.power, -1.0).argmax())
        return best

    def _design(self, n: int, able: Able, flat: Any) -> Robust:
        n1, r1, r = (int(index) for index in np.unravel_index(flat, able.fits.shape))
        two = self.two_stage
        return Robust(
            "", r1 if two else None, n1 if two else None, r, n,
            float(able.en[n1, r1]), float(able.alpha[n1, r1, r]), float(able.power[n1, r1, r]),
        )  # fmt: skip

    def not_stopped(self, n: int) -> float:
        """P(toxicity does not stop a trial of n patients without interim look), least over the alternatives."""
        from trialsim.kernels.whole_trial import every_single_stage

        bound = self.bound(n)
        return min(float(every_single_stage(bound, self.cells[c], n, 0)[0].sum()) for c in self.alternative)


def of_size(n: int) -> SingleStage:
    return SingleStage(kind="single_stage", n=n, r=0)
