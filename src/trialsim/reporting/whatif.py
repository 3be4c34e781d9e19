"""What-ifs as a folder: results.json, tables, figures and a page, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trialsim.errors import TrialsimError
from trialsim.reporting.pieces import difference_cell, render, replicates_words, save_picture, value_cell
from trialsim.timing import Clock
from trialsim.varying.answers import WhatIf
from trialsim.varying.effects import short
from trialsim.varying.sentences import sentence
from trialsim.varying.whatif import results
from trialsim.writing.csv import to_csv
from trialsim.writing.environment import environment
from trialsim.writing.folder import (
    ENVIRONMENT,
    FIGURES,
    PAGE,
    RESULTS,
    TABLES,
    check_target,
    put_in_place,
)
from trialsim.writing.folder import to_json as to_bytes
from trialsim.writing.numbers import Cell
from trialsim.writing.report import Group, Numbered, Picture, Row, Table

Document = dict[str, Any]

VALUES = ("file", "case", "variant", "quantity", "label", "value", "exact", "mcse", "low", "high")
DIFFERENCES = (
    "file", "case", "variant", "quantity", "label", "as_stated", "changed", "difference", "exact", "mcse", "low",
    "high", "simulated_difference", "simulated_mcse", "z", "variance_factor",
)  # fmt: skip
"""Columns of ``tables/values.csv`` and ``tables/differences.csv``."""


def write(
    found: Sequence[WhatIf],
    folder: str | os.PathLike[str],
    *,
    texts: Sequence[str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    seconds: Mapping[str, float] | None = None,
) -> Path:
    """Write what was found as a folder, and return the path of its page.

    Parameters
    ----------
    texts : the scenario files as they were read, kept in results.json; default: the scenarios written anew.
    jobs, force, seconds : as for ``reporting.report``.

    Raises
    ------
    OutputError : the folder cannot be written, or exists.
    """
    if not found:
        raise TrialsimError("nothing was asked, so there is nothing to write")
    target = check_target(folder, force=force)
    doc = document(found, texts)
    clock = Clock()
    clock.seconds.update(seconds or {})
    put_in_place(target, lambda new: _write(new, found, doc, jobs, clock), force=force)
    return target / PAGE


def document(found: Sequence[WhatIf], texts: Sequence[str] | None = None) -> Document:
    """The content of ``results.json``: everything found, and the scenarios as text."""
    from trialsim.running.inputs import to_yaml

    doc = results(found)
    kept = [to_yaml(each.scenario) for each in found] if texts is None else texts
    for question, text in zip(doc["questions"], kept, strict=True):
        question["text"] = text
    return doc


def _write(new: Path, found: Sequence[WhatIf], doc: Document, jobs: int | None, clock: Clock) -> None:
    """Everything the folder holds."""
    from trialsim.figures.variants import draw

    (new / RESULTS).write_bytes(to_bytes(doc))
    (new / TABLES).mkdir()
    (new / TABLES / "values.csv").write_bytes(to_csv(values(doc), VALUES).encode())
    (new / TABLES / "differences.csv").write_bytes(to_csv(differences(doc), DIFFERENCES).encode())
    pictures: list[Picture | None] = []
    with clock("figures"):
        (new / FIGURES).mkdir()
        for k, each in enumerate(found, start=1):
            drawn = draw(each, "variants" if len(found) == 1 else f"variants_{k:02}")
            pictures.append(None if drawn is None else save_picture(drawn, new / FIGURES))
    with clock("page"):
        (new / PAGE).write_bytes(page(found, doc, pictures).encode())
    (new / ENVIRONMENT).write_bytes(environment(jobs, clock.seconds))


def page(found: Sequence[WhatIf], doc: Document, pictures: Sequence[Picture | None]) -> str:
    """The HTML of what-ifs: one section a scenario."""
    questions = doc["questions"]
    alone = len(questions) == 1
    sections = [
        {
            "anchor": f"q{k}",
            "heading": question["name"],
            "question": _question(question),
            "table": overview(each, question, k),
            "full": list(everything(question, k)) if alone else [],
            "picture": picture,
            **{
                key: question[key]
                for key in ("answer", "observed_words", "how", "variants", "file", "digest")
            },
        }
        for k, (each, question, picture) in enumerate(zip(found, questions, pictures, strict=True), start=1)
    ]
    context = {
        "doc": doc,
        "title": questions[0]["name"] if alone else f"{len(questions)} what-if questions",
        "sections": sections,
        "rule": doc["rule"],
        "replicates": replicates_words((q["replicates"], q["seed"]) for q in questions),
        "disagreements": [f"{q['file']}: {what}" for q in questions for what in q["disagreements"]],
        "command": f"trialsim whatif {' '.join(q['file'] for q in questions)}",
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return render("whatif.html", context)


def overview(each: WhatIf, question: Document, k: int) -> Table:
    """A block a case, a row a variant: the main quantities, each beside its difference from the scenario as stated."""
    words = each.words
    names = question["columns"]
    with_variants = bool(question["variants"])
    heads = [""]
    for name in names:
        heads.append(sentence(short(name, words.doses, words.cohorts, words.own)))
        heads += ["Difference"] if with_variants else []
    groups = []
    for case, base in question["base"].items():
        rows = [_row("as stated", names, base, None if not with_variants else {})]
        for variant in question["variants"]:
            if case in variant["cases"]:
                effects = variant["cases"][case]
                there = {name: effects[name]["variant"] for name in names if name in effects}
                rows.append(
                    _row(variant["name"], names, there, {name: effects[name]["difference"] for name in there})
                )
        title = f"If “{case}” is true" if len(question["base"]) > 1 else ""
        groups.append(Group(title, tuple(rows)))
    return Table(f"overview-{k}", "The main quantities", tuple(heads), tuple(groups))


def _row(name: str, names: Sequence[str], numbers: Document, differences: Document | None) -> Row:
    cells = [Cell(name)]
    for quantity in names:
        # the scenario's own error says how well its value is known; a variant's is that of its difference
        alone = differences is None or quantity not in differences
        cells.append(value_cell(quantity, numbers.get(quantity), error=alone))
        if differences is not None:
            blank = name == "as stated" and not differences
            cells.append(Cell("") if blank else difference_cell(quantity, differences.get(quantity)))
    return tuple(cells)


def everything(question: Document, k: int) -> Iterator[Table]:
    """Every quantity of every variant, a table each; of a scenario without variants one table."""
    labels = question["labels"]
    several = len(question["base"]) > 1
    if not question["variants"]:
        groups = [
            Group(
                f"If “{case}” is true" if several else "",
                tuple(
                    (Cell(labels[name]), value_cell(name, base[name], error=True))
                    for name in labels
                    if name in base
                ),
            )
            for case, base in question["base"].items()
        ]
        yield Table(f"all-{k}", "Every quantity", ("", "Value"), tuple(groups))
    for v, variant in enumerate(question["variants"], start=1):
        groups = []
        for case, effects in variant["cases"].items():
            rows = tuple(
                (
                    Cell(labels[name]),
                    value_cell(name, effects[name]["base"]),
                    value_cell(name, effects[name]["variant"]),
                    difference_cell(name, effects[name]["difference"]),
                )
                for name in labels
                if name in effects
            )
            groups.append(Group(f"If “{case}” is true" if several else "", rows))
        heads = ("", "As stated", sentence(variant["name"]), "Difference")
        yield Table(f"all-{k}-{v}", f"Every quantity: {variant['name']}", heads, tuple(groups))


def values(doc: Document) -> Iterator[Document]:
    """One row a file, case, variant ("" as stated) and quantity."""
    for question in doc["questions"]:
        for case, name, quantity, number in _numbers(question):
            yield {
                "file": question["file"],
                "case": case,
                "variant": name,
                "quantity": quantity,
                "label": question["labels"][quantity],
                **{key: number.get(key) for key in ("value", "exact", "mcse", "low", "high")},
            }


def _numbers(question: Document) -> Iterator[tuple[str, str, str, Document]]:
    labels = question["labels"]
    for case, base in question["base"].items():
        for quantity in labels:
            if quantity in base:
                yield case, "", quantity, base[quantity]
    for variant in question["variants"]:
        for case, effects in variant["cases"].items():
            for quantity in labels:
                if quantity in effects:
                    yield case, variant["name"], quantity, effects[quantity]["variant"]


def differences(doc: Document) -> Iterator[Document]:
    """One row a file, case, variant and quantity; where exact, the simulated difference stands beside it."""
    for question in doc["questions"]:
        for variant in question["variants"]:
            for case, effects in variant["cases"].items():
                for quantity, label in question["labels"].items():
                    if quantity not in effects:
                        continue
                    effect = effects[quantity]
                    difference = effect["difference"]
                    drawn = difference.get("simulated") or {}
                    yield {
                        "file": question["file"],
                        "case": case,
                        "variant": variant["name"],
                        "quantity": quantity,
                        "label": label,
                        "as_stated": effect["base"]["value"],
                        "changed": effect["variant"]["value"],
                        "difference": difference["value"],
                        **{key: difference.get(key) for key in ("exact", "mcse", "low", "high")},
                        "simulated_difference": drawn.get("estimate"),
                        "simulated_mcse": drawn.get("mcse"),
                        "z": drawn.get("z"),
                        "variance_factor": effect["variance_factor"],
                    }


def _question(question: Document) -> str:
    return sentence(question["question"] or "What do these changes do?")
