"""What a browser says, without all that no control of the page says."""

from __future__ import annotations

from typing import Any


def word(said: Any) -> str:
    """A text; "" for anything else."""
    return said if isinstance(said, str) else ""


def words_of(said: Any) -> dict[str, str]:
    """The texts of a message by their names; {} for what is no message."""
    return (
        {key: text for key, text in said.items() if isinstance(text, str)} if isinstance(said, dict) else {}
    )


def form_of(said: Any) -> dict[str, str | bool] | None:
    """What stands in the controls of the form that a message comes with; None where it comes with none."""
    form = said.get("chosen") if isinstance(said, dict) else None
    return (
        {key: it for key, it in form.items() if isinstance(it, str | bool)}
        if isinstance(form, dict)
        else None
    )
