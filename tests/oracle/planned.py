"""What the oracles mean by an early end: one before the planned n."""

from trialsim.qualification.planned import ends_at_the_planned_n as ends_at_the_planned_n
