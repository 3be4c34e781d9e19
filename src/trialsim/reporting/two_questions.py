"""How the check of an observed trial differs from the test of its design: one paragraph, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trialsim.inference.questions import TwoQuestions
from trialsim.writing.numbers import count, p_value, rate

CHECK = (
    "The check asks of each case whether the observed counts would be surprising if it were true: it looks both ways, "
    "and holds the numbers of patients fixed, so that no stopping rule enters."
)


def two_questions(found: TwoQuestions | Mapping[str, Any] | None, *, assumed: bool = False) -> str:
    """The two questions, and what each answers at p0.

    ``found``: None where there is no test beside the check; a mapping as ``results.json`` has it.
    """
    if not found:
        return CHECK
    q = found if isinstance(found, TwoQuestions) else TwoQuestions(**found)
    p0 = rate(q.p0)
    design = "the design that this scenario assumes" if assumed else "the design"
    words = [
        f"{CHECK} The test asks something else: whether the response rate is above p0 = {p0}. It looks one way, and "
        f"counts the ways in which a trial can end by the stopping rule of {design}.",
        f"Of the rate p0 itself the check says, for {count(q.x, 'response')} among {count(q.n_fixed, 'patient')}, "
        f"two-sided mid-p {p_value(q.two_sided)} (before any adjustment for several quantities); the test says, among "
        f"{q.n_tested}, one-sided p {p_value(q.one_sided)} ({q.ordering} ordering), and its cut-offs "
        f"say “{q.decision}”.",
    ]
    if q.decision == "go":
        words.append(
            f"The two-sided value is twice the upper tail, {p_value(q.upper)}, and adjusting for several quantities "
            "raises it further. So a go can stand beside a mild verdict on a case with this rate; neither contradicts "
            "the other."
        )
    return " ".join(words)
