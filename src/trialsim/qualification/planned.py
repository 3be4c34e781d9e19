"""What the oracles mean by an early end: one before the planned n."""

from __future__ import annotations

from trialsim.codes import CONSIDER
from trialsim.designs.rules import Looks


def ends_at_the_planned_n(looks: Looks, k: int) -> bool:
    """Whether an end at look k is no early one: at the planned n, or where a trial of a size of its own is complete.

    A trial that no counts take to the planned n is never complete, but where it may end in `consider`.
    """
    last = len(looks.n) - 1

    def leads(here: int, there: int) -> bool:
        return here == there or any(leads(later, there) for later in set(looks.next[here]) if later > here)

    if k == last or CONSIDER in looks.next[k]:
        return True
    return leads(0, last) and not any(later > k for later in looks.next[k])
