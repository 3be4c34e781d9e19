"""Operation: every reference table, the random numbers, what is refused, and the numbers recorded for this version."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import trials_of
from trialsim.engine.tally import Tally
from trialsim.errors import TrialsimError
from trialsim.kernels.streams import philox, stream_key
from trialsim.qualification.comparing import DATA, Compared, Reference, rows, same
from trialsim.qualification.tables import REFERENCES
from trialsim.qualification.testing import OPERATION, Setting, Test
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import load, parse
from trialsim.scenario.starting import example_files

RECORDED = DATA / "recorded.csv"
REPLICATES, SEED = 200, 20_260
SCENARIOS = (
    "teaching", "three-stage", "bop2-toxicity", "lead-in", "restart", "two-cohorts", "dasatinib", "dose-decision",
    "pending-looks",
)  # fmt: skip
"""Examples of which the numbers are recorded: outcomes known at once, and in calendar time."""

VECTORS = (
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
)
"""Counter, key and words of Philox4x32-10, as Random123 publishes them."""

KEYS = {0: (1117535247, 485131311), 1: (3326731457, 4021718362), 2**63 - 1: (53161441, 592461913)}
"""The two words of the key of a seed, for stream version 1."""

SOUND = """schema: 1
name: A sound scenario
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5}
truth: {active: {response: 0.3, toxicity: 0.2}}
"""
FAULTS = (
    ("r1: 1", "r1: 11", ":4: design.r1: "),
    ("n1: 10", "n1: 40", ":4: design.n1: "),
    ("n: 29", "n: 29.5", ":4: design.n: "),
    ("response: 0.3", "response: 1.3", ":5: truth.active.response"),
    ("response: 0.3", "response: 30%", ":5: truth.active.response"),
    ("toxicity: 0.2", "toxicty: 0.2", ":5: truth.active.toxicty"),
    ("kind: simon", "kind: simmon", ":4: design.kind"),
    ("schema: 1\n", "", "schema"),
)
"""What is changed in a sound scenario, and what the refusal must name."""


def _table(number: int, reference: Reference) -> Test:
    def work(_setting: Setting) -> Iterator[Compared]:
        table = rows(reference.file)
        if len(table) != reference.rows:
            yield same("rows of the table", len(table), reference.rows)
        yield from reference.compare(table)

    return Test(
        f"OQ-{number}", OPERATION, f"Worked out as by others: {reference.what}.",
        f"Every number of `{reference.file}.csv` worked out again: {reference.rows:,} rows.",
        work, reference.source, reference.numbers, reference.explained,
    )  # fmt: skip


def random_words(_setting: Setting) -> Iterator[Compared]:
    """The generator's known answers, and the keys that seeds give."""
    for counter, key, stated in VECTORS:
        words = [np.uint64(int(word, 16)) for word in f"{counter} {key}".split()]
        here = " ".join(f"{int(word):08x}" for word in philox(*words))
        yield same(f"Philox of {counter}", here, stated)
    for seed, stated_key in KEYS.items():
        yield same(f"key of seed {seed}", tuple(int(word) for word in stream_key(seed)), stated_key)


def refusals(_setting: Setting) -> Iterator[Compared]:
    """A sound scenario is read, and each fault in it is refused with its place."""
    looks = Compiled.of(parse(SOUND)).rules.looks
    yield same("looks of a sound scenario", looks.n, (10, 29))
    for good, bad, place in FAULTS:
        said = "taken"
        try:
            Compiled.of(parse(SOUND.replace(good, bad)))
        except TrialsimError as error:
            said = str(error)
        except Exception as error:
            said = f"ended with {type(error).__name__}"
        yield Compared(f"{bad.strip() or 'no schema'} in place of {good.strip()}", said, place, place in said)


def counted(tally: Tally) -> str:
    """SHA-256 of everything that was counted, in an order of its own."""
    return hashlib.sha256(json.dumps(tally.to_dict(), sort_keys=True).encode()).hexdigest()


def recording(jobs: int | None = None) -> Iterator[tuple[str, str, str]]:
    """Scenario, case, and the digest of what its trials count, with the seed of the record."""
    for name in SCENARIOS:
        trials = trials_of(Compiled.of(load(example_files()[name])))
        for case, tally in tallies(trials, REPLICATES, SEED, jobs=jobs).items():
            yield name, case, counted(tally)


def recorded(setting: Setting) -> Iterator[Compared]:
    """What simulated trials count here and counted when the version was made."""
    stated = {(row["scenario"], row["case"]): row["sha256"] for row in _record(RECORDED)}
    for name, case, here in recording(setting.jobs):
        yield same(f"example {name}, case {case}", here, stated.pop((name, case), "not recorded"))
    for name, case in stated:
        yield same(f"example {name}, case {case}", "not simulated", "recorded")


def _record(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TESTS = (
    *(_table(number, reference) for number, reference in enumerate(REFERENCES, start=1)),
    Test(
        f"OQ-{len(REFERENCES) + 1}", OPERATION, "Random numbers are those of the stated generator and seed.",
        "Philox4x32-10 against its known answers, and the keys of three seeds.", random_words,
        "Random123, known-answer vectors", len(VECTORS) + len(KEYS),
    ),
    Test(
        f"OQ-{len(REFERENCES) + 2}", OPERATION, "A scenario that cannot be is refused, with the place of the fault.",
        "A sound scenario with one fault at a time.", refusals, "", 1 + len(FAULTS),
    ),
    Test(
        f"OQ-{len(REFERENCES) + 3}", OPERATION, "Simulated trials are those of the release, bit by bit.",
        f"{REPLICATES} trials of every case of {len(SCENARIOS)} examples, with seed {SEED}: everything that is counted "
        "against what was counted when this version was made.", recorded, "recorded with this version",
    ),
)  # fmt: skip
