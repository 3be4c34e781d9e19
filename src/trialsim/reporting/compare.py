"""Compared designs as a folder: results.json, tables, curves and a page, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trialsim.reporting.pieces import difference_cell, render, replicates_words, save_picture, value_cell
from trialsim.running.inputs import to_yaml
from trialsim.timing import Clock
from trialsim.varying.compare import Comparison
from trialsim.varying.effects import short
from trialsim.varying.sentences import sentence
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
from trialsim.writing.numbers import Cell, listed, probability_cell, rate
from trialsim.writing.report import Group, Numbered, Picture, Table, plain

Document = dict[str, Any]

DESIGNS = (
    "name", "kind", "design", "n", "alpha", "power", "en_p0", "en_p1", "pet_p0", "dominated_by", "digest",
)  # fmt: skip
CASES = (
    "case", "design", "quantity", "label", "value", "exact", "mcse", "low", "high", "difference", "difference_exact",
    "difference_mcse", "difference_low", "difference_high",
)  # fmt: skip
"""Columns of ``tables/designs.csv`` and ``tables/cases.csv``."""


def write(
    found: Comparison,
    folder: str | os.PathLike[str],
    *,
    texts: Sequence[str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    seconds: Mapping[str, float] | None = None,
) -> Path:
    """Write a comparison as a folder, and return the path of its page.

    Parameters
    ----------
    texts : the design files as they were read, kept in results.json; default: the scenarios as compared.
    jobs, force, seconds : as for ``reporting.report``.

    Raises
    ------
    OutputError : the folder cannot be written, or exists.
    """
    target = check_target(folder, force=force)
    doc = found.to_dict()
    kept = [to_yaml(design.scenario) for design in found.designs] if texts is None else texts
    for design, text in zip(doc["designs"], kept, strict=True):
        design["text"] = text
    clock = Clock()
    clock.seconds.update(seconds or {})

    def fill(new: Path) -> None:
        from trialsim.figures.compare_curves import draw

        (new / RESULTS).write_bytes(to_bytes(doc))
        (new / TABLES).mkdir()
        rows = [{**d, "dominated_by": "; ".join(d["dominated_by"])} for d in doc["designs"]]
        rows = [{key: row[key] for key in DESIGNS} for row in rows]
        (new / TABLES / "designs.csv").write_bytes(to_csv(rows, DESIGNS).encode())
        (new / TABLES / "cases.csv").write_bytes(to_csv(case_rows(found, doc), CASES).encode())
        (new / FIGURES).mkdir()
        with clock("figures"):
            picture = save_picture(draw(found), new / FIGURES)
        (new / PAGE).write_bytes(page(found, doc, picture).encode())
        (new / ENVIRONMENT).write_bytes(environment(jobs, clock.seconds))

    put_in_place(target, fill, force=force)
    return target / PAGE


def page(found: Comparison, doc: Document, picture: Picture) -> str:
    """The HTML of a comparison."""
    stated = [f"{name} = {rate(doc[name])}" for name in ("p0", "p1") if doc[name] is not None]
    reasons = sorted({why for why in doc["not_exact"].values() if why})
    context = {
        "doc": doc,
        "title": f"{len(doc['designs'])} designs compared",
        "rates": f", at {listed(stated)}" if stated else "",
        "how": f"Simulated ({'; '.join(reasons)})." if reasons else "Exact.",
        "replicates": replicates_words([(doc["replicates"], doc["seed"])]),
        "alone": designs(doc),
        "cases": cases(found, doc),
        "picture": picture,
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return render("compare.html", context)


def designs(doc: Document) -> Table:
    """One row a design: cut-offs, error rates, expected patients, and what dominates it."""
    rows = [
        (
            Cell(d["name"]),
            Cell(d["design"]),
            value_cell_n(d["n"]),
            probability_cell(d["alpha"]),
            probability_cell(d["power"]),
            _mean(d["en_p0"]),
            _mean(d["en_p1"]),
            probability_cell(d["pet_p0"]),
            Cell(", ".join(d["dominated_by"]) or "no", mark="outside" if d["dominated_by"] else ""),
        )
        for d in doc["designs"]
    ]
    heads = ("", "Design", "n", "Type I error", "Power", "EN at p0", "EN at p1", "PET at p0", "Dominated by")
    return Table("designs", "The designs by themselves, exact", heads, plain(rows), words=(1, 8))


def cases(found: Comparison, doc: Document) -> Table:
    """A block a case, a row a design: the main quantities, P(go) and EN with their differences from the first."""
    scenario = found.first
    cohorts = scenario.cohorts.names if scenario.cohorts else ()
    heads = [""]
    for name in doc["columns"]:
        words = "Patients at better dose" if name == "better_dose" else None
        heads.append(words or sentence(short(name, scenario.doses, cohorts, scenario.own_rules)))
        heads += ["Difference"] if name in ("p_go", "en") else []
        heads += ["Share"] if name == "better_dose" else []
    groups = []
    for case, of in doc["cases"].items():
        better = doc["better_dose"][case]
        title = f"If “{case}” is true" + (f" (better dose: {better})" if better else "")
        rows = []
        for design, each in of.items():
            cells = [Cell(design)]
            for name in doc["columns"]:
                is_first = not each["differences"]
                cells.append(
                    value_cell(name, each["values"].get(name), error=is_first or name not in ("p_go", "en"))
                )
                if name in ("p_go", "en"):
                    cells.append(
                        Cell("") if is_first else difference_cell(name, each["differences"].get(name))
                    )
                if name == "better_dose":
                    share = each["share_at_better_dose"]
                    cells.append(Cell("–") if share is None else Cell(f"{100 * share:.1f}%", share))
            rows.append(tuple(cells))
        groups.append(Group(title, tuple(rows)))
    return Table("cases", "The designs in every case", tuple(heads), tuple(groups))


def case_rows(found: Comparison, doc: Document) -> Iterator[Document]:
    """One row a case, design and quantity, with the difference from the first design."""
    for case, of in doc["cases"].items():
        for design, each in of.items():
            for quantity, number in each["values"].items():
                apart = each["differences"].get(quantity, {})
                yield {
                    "case": case,
                    "design": design,
                    "quantity": quantity,
                    "label": found.label(quantity),
                    **{key: number.get(key) for key in ("value", "exact", "mcse", "low", "high")},
                    "difference": apart.get("value"),
                    "difference_exact": apart.get("exact"),
                    **{f"difference_{key}": apart.get(key) for key in ("mcse", "low", "high")},
                }


def value_cell_n(n: int) -> Cell:
    """A number of patients that is a whole one."""
    return Cell(str(n), n)


def _mean(value: float | None) -> Cell:
    return Cell("–") if value is None else Cell(f"{value:.2f}", value)
