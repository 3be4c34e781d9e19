"""Figures of candidate designs: what is drawn is what was found."""

from __future__ import annotations

import pytest

import trialsim
from tests.helpers import ROOT, run
from trialsim.designs.alone import alone
from trialsim.designs.finding import find, read_keys
from trialsim.engine.whole_trial import find_robust
from trialsim.figures import candidates, whole_trial
from trialsim.figures.drawn import DPI

SETTING = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "beta": 0.1}


def test_expected_patients_are_drawn_beside_p_go():
    found = find("simon", **SETTING)
    frame = candidates.draw(found).frame
    for design in found:
        curve = frame[(frame["panel"] == "en") & (frame["design"] == design.design)].set_index("x")["value"]
        assert curve[0.1] == pytest.approx(design.en_p0)
        assert curve[0.3] == pytest.approx(design.en_p1)


def test_a_criterion_with_an_en_of_its_own_is_drawn_in_it():
    found = find("simon", **SETTING, en_weight_p1=0.5)
    assert all(d.en == pytest.approx((d.en_p0 + d.en_p1) / 2) for d in found)
    drawn = candidates.draw(found)
    sizes = drawn.frame[drawn.frame["panel"] == "n"]
    best = sizes[sizes["design"] == "best of its n"].set_index("x")["value"]
    for d in found:
        assert best[d.n] == pytest.approx(d.en)
    assert drawn.figure.axes[0].get_ylabel().startswith("EN of the criterion")


def test_limits_of_the_search_are_those_of_the_grey_points():
    found = find("simon", **SETTING, balanced=True)
    sizes = candidates.draw(found).frame
    best = sizes[sizes["design"] == "best of its n"]
    assert set(best["x"] % 2) == {0}


def test_designs_with_unlike_criteria_are_compared_at_p0():
    found = find("mander_thompson", **SETTING)
    assert found["least_largest_en"].en == pytest.approx(
        max(alone(found["least_largest_en"].looks, 0.1 + k * 0.0002).en for k in range(1001)), abs=1e-4
    )
    assert found["h1_optimal"].en == pytest.approx(found["h1_optimal"].en_p1)
    drawn = candidates.draw(found)
    assert drawn.figure.axes[0].get_ylabel() == "EN at p0 (patients)"
    sizes = drawn.frame[drawn.frame["panel"] == "n"]
    assert set(sizes["value"]) == {d.en_p0 for d in found}
    # minimax and h1_optimal are one design here: drawn once, under both names
    curves = drawn.frame[drawn.frame["panel"] == "p_go"]["design"]
    assert len(set(curves)) == 3
    assert "EN: at p1 for h1_optimal" in str(found)


def test_the_figure_of_a_robust_search(tmp_path, monkeypatch, capsys):
    scenario = trialsim.load(ROOT / "configs/teaching.yaml")
    found = find_robust(scenario, criterion="optimal")
    frame = whole_trial.draw(found).frame
    p_go = frame[frame["panel"] == "p_go"].set_index(["label", "case"])["value"]
    ideal = found.ideal["optimal"]
    assert p_go["optimal, ideal (promised)", "active"] == ideal.power
    for row in found.attained:
        assert p_go[row.label, row.case] == row.p_go
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("trialsim.figures.drawn.DPI", DPI)
    picture = tmp_path / "robust.png"
    command = ["find", "--scenario", "configs/teaching.yaml", "--nmax", "20", "--figure"]
    assert run([*command, str(picture)], monkeypatch) == 2  # no design, and a picture of what comes nearest
    assert picture.stat().st_size > 10_000
    assert "most power" in capsys.readouterr().out
    assert run([*command, str(tmp_path / "no" / "robust.png")], monkeypatch) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["robust.png"]


def test_values_as_people_write_them():
    assert read_keys(["a=.5", "b=[.2,.8]", "c=true", "d=smallest", "e=0.5", "f=12"]) == {
        "a": 0.5, "b": [0.2, 0.8], "c": True, "d": "smallest", "e": 0.5, "f": 12,
    }  # fmt: skip
