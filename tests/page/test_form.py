"""The form: every key of the models is in it or said to be in the file only; what it sends back is what it shows."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.helpers import FILES, SMALL, first_of
from trialsim.designs.spec import Spec
from trialsim.page import form as form_module
from trialsim.page import keys, parts
from trialsim.page.draft import Draft
from trialsim.page.form import GROUPS, control_id, faults, form, group, parts_of, structure
from trialsim.page.keys import in_file_only, typed, waits_for_another
from trialsim.page.moves import RULES, added, question_of, removed, switched
from trialsim.page.parts import Block, Control, Offer, Part, walk
from trialsim.scenario import words
from trialsim.scenario.files import parse
from trialsim.scenario.schema import json_schema

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FILES} | {"small": SMALL}
FEW = ("dasatinib", "two-cohorts", "finn-tnbc", "small", "bryant-day")
KINDS = list(json_schema()["properties"]["design"]["discriminator"]["mapping"])


@cache
def draft(name: str) -> Draft:
    return Draft.of(TEXTS[name])


def all_parts(one: Draft) -> list[Part]:
    return [part for name in GROUPS for whole in parts_of(one, name) for part in walk(whole)]


class Page(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, attribute: str) -> list[str]:
        return [str(attrs[attribute]) for _, attrs in self.tags if attribute in attrs]


# -- what is in it


@pytest.mark.parametrize("name", TEXTS)
def test_every_tag_can_be_found_and_every_box_has_a_name(name: str) -> None:
    page = Page(str(form(draft(name))))
    ids = page.of("id")
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z][\w-]*", one) for one in ids)
    assert set(page.of("for")) <= set(ids)
    assert {one for text in page.of("aria-describedby") for one in text.split()} <= set(ids)
    for tag, attrs in page.tags:
        if tag in ("input", "select"):
            assert attrs["id"] in page.of("for") or attrs["aria-label"]
            assert ("data-path" in attrs) != ("data-switch" in attrs)


def stated_keys(block: Spec, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key that the models know at a place of this scenario, read off the models themselves."""
    for name, info in type(block).model_fields.items():
        at = (*path, info.alias or name)
        yield at
        value = getattr(block, name)
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
        )
        for step, below in [((), value), *inner]:
            if isinstance(below, Spec):
                yield from stated_keys(below, at if step == () else (*at, step))


@pytest.mark.parametrize("name", TEXTS)
def test_every_key_of_the_models_is_in_the_form_or_in_the_file_only(name: str) -> None:
    one = draft(name)
    there = {part.path for part in all_parts(one)}
    only = in_file_only(one.data)
    scenario = parse(one.text)
    for path in stated_keys(scenario):
        text = words.path_text(path)
        if any(text == key or text.startswith((f"{key}.", f"{key}[")) for key in only):
            continue
        kind = path[-1] == "kind" and (*path[:-1],) in there
        folded = path[:1] in there and path[0] not in one.data  # a block that can be added
        waits = waits_for_another(path, one.data)  # offered when another key is set
        assert path in there or kind or folded or waits, text


def test_what_stays_in_the_file_is_said() -> None:
    text = (FILES[0].parents[1] / "src/trialsim/scenario/starts/rules.yaml").read_text(encoding="utf-8")
    one = Draft.of(text)
    only = [
        "schema",
        "design.looks",
        "dose_decision",
        "sources",
        "variants",
        "sensitivity",
    ]
    assert in_file_only(one.data) == only
    assert f"In the file only: {', '.join(only)}." in str(form(one))


def test_a_new_key_of_the_models_is_a_new_control(monkeypatch: pytest.MonkeyPatch) -> None:
    new = deepcopy(json_schema())
    new["$defs"]["Evaluability"]["properties"]["fresh_weeks"] = {
        "type": "number", "minimum": 0, "maximum": 52, "default": 4.0, "description": "weeks of something new",
    }  # fmt: skip
    new["properties"]["fresh"] = {"type": "string", "maxLength": 9, "description": "a new block"}
    for module in (keys, parts):
        monkeypatch.setattr(module, "schema", lambda: keys.Faults(new))
    for module in (keys, parts, form_module):
        monkeypatch.setattr(module, "json_schema", lambda: new)
    found = {part.path: part for part in all_parts(draft("dasatinib"))}
    control = found["evaluability", "fresh_weeks"]
    assert isinstance(control, Control)
    assert (control.label, control.unit, control.value) == ("fresh weeks", "weeks", "4")
    assert control.help == "weeks of something new; default: 4"
    assert control.slider == (0, 8, 0.1)
    assert ("fresh",) in found


def test_labels_units_and_words_are_those_of_the_models() -> None:
    page = str(group(draft("dasatinib"), "Calendar time"))
    assert 'patients screened a month</label><input type="range" min="0.01" max="9"' in page
    assert '<span class="unit">patients a month</span>' in page
    assert "pause until it is decided" in page
    assert 'value="9, 17, 25"' in page
    assert "toxicity rate, 70 mg BID</label>" in str(group(draft("dasatinib"), "True rates"))
    assert ">optimal: least EN(p0)</option>" in str(group(draft("dasatinib"), "Design"))


HOSTILE = '</script><script>alert("1")</script>'


def test_hostile_names_are_text() -> None:
    text = SMALL.replace("doses: [high, low]", f"doses: ['{HOSTILE}', low]").replace(
        "A small trial", f"'{HOSTILE}'"
    )
    case = draft("small").edited(("truth", HOSTILE), {"response": 0.1})
    for one in (Draft.of(text), case, draft("small").edited("design.kind", HOSTILE)):
        page = str(form(one))
        assert "<script" not in page
        assert "</script" not in page


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "truth: 5\ndesign: [1]\ndoses: 3\nconduct: {accrual: x}\ncohorts: {strata: 5}\nobserved: []",
        "truth: {a: 1}",
    ],
)
def test_a_form_is_there_whatever_the_text(text: str) -> None:
    assert "design" in str(form(Draft.of(text)))


def test_faults_stand_beside_their_boxes() -> None:
    one = draft("dasatinib").edited_text("truth.active.toxicity[0]", "45%")
    (fault,) = faults(one)
    assert fault["ids"][0] == "fault-truth_2e_active_2e_toxicity_2e_0"
    page = str(group(one, "True rates"))
    assert f'id="{fault["ids"][0]}">`45%` is text, not a number; write 0.45</span>' in page
    assert page.count('aria-invalid="true"') == 1


def test_ids_are_one_to_one() -> None:
    paths = [("a", "b"), ("a-b",), ("a_2e_b",), ("a", 1), ("a1",), ("A", "b"), ("a b",), ("é",)]
    assert len({control_id(path) for path in paths}) == len(paths)


# -- what it sends back


@pytest.mark.parametrize("name", TEXTS)
def test_present_values_sent_back_change_nothing(name: str) -> None:
    one = draft(name)
    for part in all_parts(one):
        if isinstance(part, Control) and part.switch:
            assert switched(one, part.path, part.value).text == one.text
        elif isinstance(part, Control) and (not part.rare or not part.value):
            assert one.edited_text(words.path_text(part.path), part.value).text == one.text, part


def test_defaults_sent_back_mean_the_same() -> None:
    one = draft("dasatinib")
    shown = [part for part in all_parts(one) if isinstance(part, Control) and part.rare and part.value]
    assert len(shown) > 5
    for part in shown:
        assert one.edited_text(part.path, part.value).scenario == one.scenario, part


@pytest.mark.parametrize(
    ("path", "text", "written"),
    [
        ("conduct.assessment_weeks", "9, 17", [9, 17]),
        ("conduct.assessment_weeks", "[9, 17]", [9, 17]),
        ("conduct.accrual.per_month", "4", 4),
        ("name", "true", "true"),
        ("name", "5", "5"),
        ("simulation.precision", "p_go: 0.002", {"p_go": 0.002}),
        ("conduct.confirmed", "false", False),
        ("observed.treated_by_dose", "30, 40", [30, 40]),
        ("design.stage1_share", "0.3, 0.5", [0.3, 0.5]),
    ],
)
def test_what_is_typed_is_read_as_its_key_is_meant(path: str, text: str, written: Any) -> None:
    data = draft("dasatinib").edited_text(path, text).data
    for step in words.steps(path):
        data = data[step]
    assert data == written
    assert type(data) is type(written)


def test_a_comma_in_a_number_is_told_where_a_list_may_stand_too() -> None:
    (problem,) = draft("dasatinib").edited_text("conduct.accrual.per_month", "4,5").problems
    assert "write 4.5" in problem.message
    node = keys.node_at(draft("restart").data, ("conduct", "accrual", "per_month"))
    assert typed("2, 4.5", node) == "[2, 4.5]"


# -- what is drawn anew


def test_a_group_is_drawn_anew_only_where_it_consists_of_other_things() -> None:
    one = draft("dasatinib")
    moved = (
        one.edited("truth.active.response", 0.2)
        .edited("design.alpha", 0.1)
        .edited("conduct.accrual.per_month", 7)
    )
    filled = one.edited("conduct.review_lag_weeks", 2)
    for name in GROUPS:
        assert structure(moved, name) == structure(filled, name) == structure(one, name)
        hash(structure(one, name))
    for path, value, name in (
        ("truth.active.response", [0.1, 0.2], "True rates"),
        ("truth.new", {"response": 0.1, "toxicity": 0.1}, "True rates"),
        ("doses[2]", "low", "Doses and toxicity rule"),
        ("dose_reduction.rule", {"kind": "none"}, "Doses and toxicity rule"),
        ("conduct", None, "Calendar time"),
        ("cohorts.strata[1]", None, "Cohorts"),
    ):
        assert structure(one.edited(path, value), name) != structure(one, name), path


# -- moves


@pytest.mark.parametrize("name", FEW)
def test_what_is_added_is_possible_at_once(name: str) -> None:
    one = draft(name)
    offers = [part for part in all_parts(one) if isinstance(part, Offer)]
    assert offers
    for offer in offers:
        asked = "new" if offer.asks else ""
        after = added(one, words.path_text(offer.path), asked)
        assert after.problems == (), offer
        assert after.scenario is not None
        assert after != one, offer
        assert any(
            part.path[: len(offer.path)] == offer.path
            for part in all_parts(after)
            if not isinstance(part, Offer)
        )


@pytest.mark.parametrize("name", FEW)
def test_what_is_left_out_is_gone_or_it_is_said_why(name: str) -> None:
    one = draft(name)
    for block in (part for part in all_parts(one) if isinstance(part, Block) and part.removable):
        after = removed(one, words.path_text(block.path))
        assert len(after.text) < len(one.text), block
        assert after.scenario is not None or after.problems
        assert "cannot be read" not in str(after.problems)


def test_a_dose_comes_and_goes_with_its_rates() -> None:
    one = draft("dasatinib")
    more = added(one, "doses[2]")
    assert more.data["doses"] == ["100 mg BID", "70 mg BID", "dose 3"]
    assert more.data["truth"]["active_dose_response"] == {
        "response": [0.15, 0.11, 0.11],
        "toxicity": [0.45, 0.32, 0.32],
    }
    assert more.data["observed"]["evaluable_by_dose"] == [23, 46, 0]
    assert more.problems == ()
    assert [problem.key for problem in more.checked().problems] == [
        "variants.steep dose-response.truth.active_dose_response.response"
    ]
    assert removed(more, "doses[2]").text == one.text


def test_a_stratum_comes_and_goes_with_its_share_and_rates() -> None:
    fewer = removed(draft("two-cohorts"), "cohorts.strata[1]")
    assert fewer.data["cohorts"]["strata"] == [{"name": "HER2-amplified", "share": 1}]
    assert "cohorts" not in fewer.data["truth"]["only_hormone_receptor_positive"]
    assert fewer.scenario is not None
    more = added(draft("two-cohorts"), "cohorts.strata[2]")
    assert [each["share"] for each in more.data["cohorts"]["strata"]] == [0.348, 0.326, 0.326]


def test_a_case_is_asked_for_once() -> None:
    one = added(draft("dasatinib"), "truth", "mine")
    assert one.data["truth"]["mine"] == {
        "response": 0.0435,
        "toxicity": 0.37,
        "odds_ratio": 1,
        "serious": 0.2857,
        "stable_disease": 0.0909,
    }
    assert "already" in added(one, "truth", "mine").problems[0].message
    assert added(one, "truth", "mine").text == one.text
    assert "cannot be a name" in str(added(one, "truth", "<script>").problems)


@pytest.mark.parametrize(
    "name", ["dasatinib", "posterior-probability", "bryant-day", "fleming", "simon-constrained"]
)
def test_every_kind_of_design_can_be_chosen(name: str) -> None:
    one = draft(name)
    for kind in KINDS:
        after = switched(one, "design", kind)
        assert after.problems == (), kind
        assert after.data["design"]["kind"] == kind
        for key in ("p0", "p1"):
            if key in one.data["design"]:
                assert after.data["design"][key] == one.data["design"][key], kind
        rest = {key: value for key, value in after.data.items() if key not in ("design", "truth", "conduct")}
        assert rest == {key: one.data[key] for key in rest}


def test_error_rates_are_kept_where_both_kinds_have_them() -> None:
    design = switched(draft("dasatinib"), "design", "mander_thompson").data["design"]
    assert {key: design[key] for key in ("p0", "p1", "alpha", "beta")} == {
        "p0": 0.05,
        "p1": 0.15,
        "alpha": 0.05,
        "beta": 0.15,
    }
    power = draft("dasatinib").edited("design.beta", None).edited("design.power", 0.85)
    assert "beta" not in switched(power, "design", "mander_thompson").data["design"]


@pytest.mark.parametrize("name", ["dasatinib", "teaching"])
def test_every_toxicity_rule_can_be_chosen(name: str) -> None:
    for kind in (*RULES, "none"):
        after = switched(draft(name), "dose_reduction.rule", kind)
        assert after.problems == (), kind
        assert after.data["dose_reduction"]["rule"]["kind"] == kind


def test_rates_are_given_in_another_way_with_the_same_numbers() -> None:
    one = draft("dasatinib")
    path = "truth.active_dose_response.response"
    slope = switched(one, path, "slope")
    assert slope.problems == ()
    assert slope.data["dose_amounts"] == [100, 70]
    each = switched(slope, path, "each")
    assert each.data["truth"]["active_dose_response"]["response"] == [0.15, 0.11]
    assert switched(each, path, "same").data["truth"]["active_dose_response"]["response"] == 0.15
    assert switched(one, "truth.active.response", "each").text == one.text.replace(
        "active:      {response: 0.15,", "active:      {response: [0.15, 0.15],"
    )


def test_a_kind_that_is_none_is_told() -> None:
    (problem,) = switched(draft("dasatinib"), "design", "<b>").problems
    assert problem.message == "the form has no kind `<b>` here"


PATHS = re.findall(
    r"\S+",
    """
. [] x x[3] design design.p0 design.kind.x design[0] truth truth.active truth[0] truth.active.response
truth.active.response[0] truth.none.toxicity truth.active.cohorts truth.active.cohorts.x.response doses
doses[0] doses[99] doses[1] doses[2] doses.x dose_amounts dose_amounts[7] dose_reduction.rule dose_reduction
cohorts cohorts.strata cohorts.strata[0] cohorts.strata[9] cohorts.strata.x observed.cells observed.cells[0]
observed.cells[99] observed.stage1 related_trials[0] related_trials.name conduct conduct.accrual.sites
conduct.accrual simulation.precision sources variants sensitivity.tornado schema name name[0] <script>
x[0][0][0] 0 truth.9.9 truth.a truth.b.toxicity truth.b.response
""",
)
PATHS += ["", "a" * 3000]
NAMES = (
    "",
    " ",
    "a",
    "<b>",
    "x" * 400,
    "a: b",
    "\x07",
    "null",
    "[",
    "each",
    "slope",
    "same",
    "simon",
    "none",
)


DRAWN = first_of(1, (1, 4))
"""How many of the four ways of changing a place have their form drawn, which takes longest: one by chance, or all."""


@pytest.mark.parametrize("drawn", DRAWN)
@pytest.mark.parametrize(
    "text",
    [
        TEXTS["small"],
        TEXTS["fleming"],
        "a: 1",
        "truth: {a: 5, b: {}}\ndoses: 3\ncohorts: []\nobserved: 1",
        "",
    ],
)
def test_whatever_a_browser_sends_a_draft_comes_back(text: str, drawn: int) -> None:
    one, chance = Draft.of(text), random.Random(text)
    for path in PATHS if text == TEXTS["small"] else chance.sample(PATHS, 12):
        name = chance.choice(NAMES)
        drafts = [
            added(one, path, name),
            removed(one, path),
            switched(one, path, name),
            one.edited_text(path, name),
        ]
        assert all(isinstance(after.problems, tuple) for after in drafts)
        for after in chance.sample(drafts, drawn):
            str(form(after))


def test_history_and_prior_are_stated_in_one_way_with_weights_of_one() -> None:
    one = added(added(draft("dasatinib"), "history"), "prior")
    assert one.problems == () and one.data["history"] == {"responses": 4, "patients": 40}
    mixed = added(one, "history.mixture[0]")
    assert mixed.problems == () and [*mixed.data["history"]] == ["mixture"]
    more = added(mixed, "history.mixture[2]")
    assert more.problems == () and [part["weight"] for part in more.data["history"]["mixture"]] == [
        0.5,
        0.25,
        0.25,
    ]
    fewer = removed(more, "history.mixture[0]")
    assert fewer.problems == () and [part["weight"] for part in fewer.data["history"]["mixture"]] == [
        0.75,
        0.25,
    ]
    points = added(one, "prior.points[0]")
    assert points.problems == () and "beta" not in points.data["prior"]
    assert [point["response"] for point in points.data["prior"]["points"]] == [0.05, 0.15]
    again = added(added(points, "prior.points[2]"), "prior.utility")
    assert again.problems == () and again.checked().problems == ()
    assert removed(removed(again, "history"), "prior").data == draft("dasatinib").data


def test_a_question_that_no_longer_fits_can_be_left_out_without_editing_the_file() -> None:
    moved = draft("dasatinib").edited("conduct.accrual.per_month", 8)
    (problem,) = moved.checked().problems
    at = question_of(moved.data, problem.key)
    assert at == ("variants", "8 patients a month")
    without = removed(moved, words.path_text(at))
    assert without.checked().problems == ()
    assert [*without.data["variants"]] == ["steep dose-response", "amended at once"]
    inside = question_of(moved.data, "sensitivity.tornado.active drug.inputs.truth.active.response")
    assert inside == ("sensitivity", "tornado", "active drug")
    # the last of its kind takes its heading along
    assert "tornado" not in removed(moved, words.path_text(inside)).data["sensitivity"]
    assert question_of(moved.data, "truth.active.response") is None


def test_what_counts_as_an_active_drug_is_in_the_form_in_every_way_it_may_be_stated() -> None:
    with_prior = added(draft("dasatinib"), "prior")
    # p1 is what the design calls active; it is no number of ours
    assert with_prior.data["prior"]["active"] == "at_least_p1"
    for text, value in (("above_p0", "above_p0"), ("above: 0.12", {"above": 0.12})):
        stated = with_prior.edited_text("prior.active", text)
        assert stated.data["prior"]["active"] == value and not stated.problems
        (box,) = (part for part in all_parts(stated) if part.path == ("prior", "active"))
        assert isinstance(box, Control) and (box.kind, box.value) == ("long", text)
        assert "prior.active" not in in_file_only(stated.data)


def test_keys_in_an_explanation_are_set_as_keys() -> None:
    shown = str(form(draft("dasatinib")))
    assert "in order of <code>doses</code>" in shown and "`" not in shown


def test_a_block_is_offered_when_the_key_that_gives_it_a_meaning_is_set() -> None:
    at = ("conduct", "weighing")
    waits = draft("dasatinib")
    assert at not in {part.path for part in all_parts(waits)}
    weighs = Draft.of(
        waits.text.replace("interim: continue", "interim: continue\n  pending: weigh_follow_up", 1)
    )
    assert at in {part.path for part in all_parts(weighs)}
