"""The page in a real browser: from a form to numbers, files and links, by mouse and by keyboard."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.browser import AXE
from tests.helpers import CONFIGS, DASATINIB
from tests.page.server import MISSING, Served, browser, served
from trialsim import run
from trialsim.page.links import link
from trialsim.running.plain import told
from trialsim.scenario.files import parse

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

REPLICATES = 3000
SLOW = 120_000
"""Milliseconds after which something that is waited for counts as never coming: far more than a busy machine takes."""

TEXT = DASATINIB.read_text(encoding="utf-8").replace("replicates: 100000", f"replicates: {REPLICATES}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("page")
    (place / "scenario.yaml").write_text(TEXT, encoding="utf-8")
    with served(place, str(place / "scenario.yaml")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(server: Served, chromium: Any) -> Iterator[Any]:
    yield from visitor(server, chromium)


def visitor(server: Served, chromium: Any, address: str = "") -> Iterator[Any]:
    """A page in a fresh browser profile; nothing may go wrong in it unseen."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(SLOW)
    opened = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(server.address + address)
    yield opened
    context.close()
    assert not wrong
    elsewhere = [url for url in asked if not url.startswith((server.address, "data:", "blob:"))]
    assert not elsewhere, "the page fetched something from elsewhere"


def settled(page: Any) -> None:
    """Wait until the numbers are those of `trialsim run`."""
    page.locator(".state", has_text="The numbers of").wait_for()


def numbers(page: Any) -> list[float]:
    """The numbers behind the table of cases."""
    return [float(cell.get_attribute("value")) for cell in page.locator("#answer data").all()]


def type_in(page: Any, path: str, text: str) -> None:
    """Type a value into the box of a path, and leave it."""
    box = page.locator(f'input[type=text][data-path="{path}"]')
    open_to(box)
    box.fill(text)
    box.blur()


def open_to(locator: Any) -> None:
    """Unfold what a control stands in, as a visitor would."""
    locator.evaluate(
        "node => { for (let at = node; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true; }"
    )


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def all_there(page: Any) -> None:
    """Wait until nothing that is on the screen is still being worked out."""
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.recalculating, [role=status]')].some(node => node.offsetParent"
        " && (node.matches('.recalculating') || node.textContent.startsWith('Working')))"
    )


def test_the_numbers_are_those_of_the_run_and_follow_a_change(page: Any) -> None:
    settled(page)
    doc = run(parse(TEXT)).to_dict()
    first = numbers(page)
    assert told(doc["cases"]["active"], "p_go")["estimate"] in first
    type_in(page, "truth.active.response", "0.2")
    page.locator("#answer td", has_text=re.compile(r"^20%$")).wait_for()
    settled(page)
    moved = run(
        parse(TEXT.replace("active:      {response: 0.15,", "active:      {response: 0.2,"))
    ).to_dict()
    for name, case in moved["cases"].items():
        assert told(case, "p_go")["estimate"] in numbers(page), name
    assert numbers(page) != first


def test_a_slider_moves_its_box_the_file_and_the_address(page: Any) -> None:
    settled(page)
    before = page.url
    slider = page.locator('input[type=range][data-path="truth.active.response"]')
    here = slider.element_handle()
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.locator("#answer td", has_text=re.compile(r"^18%$")).wait_for()
    assert page.locator('input[type=text][data-path="truth.active.response"]').input_value() == "0.18"
    page.locator("details.file > summary").click()
    changed = page.locator("ol.lines li.changed")
    changed.first.wait_for()
    assert changed.count() == 1
    assert "response: 0.18" in changed.inner_text()
    assert page.url != before
    # the control under the finger is never drawn anew
    assert here.evaluate("node => node.isConnected")


def test_a_fault_is_told_at_its_place_and_the_numbers_stay(page: Any) -> None:
    settled(page)
    before = numbers(page)
    type_in(page, "truth.active.response", "15%")
    told = page.locator("#wrong")
    told.get_by_text("0.15").first.wait_for()
    box = page.locator('input[type=text][data-path="truth.active.response"]')
    assert box.get_attribute("aria-invalid") == "true"
    assert numbers(page) == before
    type_in(page, "truth.active.response", "0.15")
    page.locator("#wrong ul").wait_for(state="detached")
    assert box.get_attribute("aria-invalid") is None


def test_the_file_is_edited_by_hand(page: Any) -> None:
    settled(page)
    for summary in ("The scenario file", "Edit it by hand"):
        page.locator("summary", has_text=summary).click()
    hand = page.locator("textarea#hand")
    hand.fill(TEXT.replace("p1: 0.15", "p1: 15%"))
    page.get_by_role("button", name="Apply").click()
    line = TEXT[: TEXT.index("p1: 0.15")].count("\n") + 1
    page.locator("#wrong li", has_text=f"line {line}").wait_for()
    page.locator("ol.lines li.faulty").wait_for()
    hand.fill(TEXT.replace("p1: 0.15", "p1: 0.2"))
    page.get_by_role("button", name="Apply").click()
    page.locator("#wrong li").wait_for(state="detached")
    page.locator('input[type=text][data-path="design.p1"][value="0.2"]').wait_for(state="attached")


def test_what_a_run_would_refuse_is_told_beside_the_numbers(page: Any) -> None:
    type_in(page, "conduct.accrual.per_month", "8")
    settled(page)
    page.locator("#wrong li", has_text="variants.8 patients a month: changes nothing").wait_for()


def test_a_file_with_a_fault_is_opened_and_told_by_line(page: Any, tmp_path: Path) -> None:
    settled(page)
    bad = tmp_path / "bad.yaml"
    bad.write_text(TEXT.replace("p0: 0.05", "p0: 5%"), encoding="utf-8")
    tab(page, "Take it home")
    page.locator("input[data-open=file]").set_input_files(bad)
    line = TEXT[: TEXT.index("p0: 0.05")].count("\n") + 1
    page.locator("#wrong li", has_text=f"line {line}").wait_for()
    long = tmp_path / "long.yaml"
    long.write_text("#" * 200_000, encoding="utf-8")
    page.locator("input[data-open=file]").set_input_files(long)
    page.get_by_text("longer than 100 kB").wait_for()


def test_a_file_goes_through_the_page_unchanged(page: Any) -> None:
    tab(page, "Take it home")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the scenario file").click()
    assert Path(download.value.path()).read_bytes() == TEXT.encode()


def test_a_link_restores_the_page_in_a_fresh_browser(server: Served, chromium: Any) -> None:
    changed = TEXT.replace("response: 0.15,         toxicity", "response: 0.22,         toxicity")
    assert changed != TEXT
    for page in visitor(server, chromium, link(changed)):
        page.locator("#answer td", has_text=re.compile(r"^22%$")).wait_for()
    for page in visitor(server, chromium, link(changed)[:-20]):
        page.get_by_text("This link is damaged").wait_for()
        settled(page)


def test_two_visitors_do_not_disturb_each_other(server: Served, chromium: Any) -> None:
    first, second = visitor(server, chromium), visitor(server, chromium)
    one, other = next(first), next(second)
    type_in(one, "truth.active.response", "0.31")
    one.locator("#answer td", has_text=re.compile(r"^31%$")).wait_for()
    settled(other)
    assert other.locator("#answer td", has_text=re.compile(r"^31%$")).count() == 0
    for rest in (first, second):
        assert next(rest, None) is None


def test_from_nothing_to_a_word_file(page: Any) -> None:
    page.locator("#example").select_option("new")
    page.locator("#answer td", has_text=re.compile(r"^30%$")).wait_for()
    type_in(page, "design.p1", "0.35")
    tab(page, "Find a design")
    page.locator('#find input[name="p1"][value="0.35"]').wait_for()
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Use this design").first.click()
    chosen = 'select[data-path="design.criterion"] option[value=minimax][selected]'
    page.locator(chosen).wait_for(state="attached")
    tab(page, "Take it home")
    page.locator("select#which_file").select_option("protocol.docx")
    page.get_by_role("button", name="Make it").click()
    wanted = page.get_by_role("link", name="Download protocol.docx")
    wanted.wait_for()
    with page.expect_download() as download:
        wanted.click()
    with zipfile.ZipFile(BytesIO(Path(download.value.path()).read_bytes())) as file:
        words = re.sub(r"<[^>]*>", "", file.read("word/document.xml").decode())
    assert "35%" in words


def test_pictures_have_a_table_and_files(page: Any) -> None:
    settled(page)
    figure = page.locator("figure#p_go")
    figure.locator("summary").click()
    table = figure.locator("table")
    assert table.locator("tbody tr").count() >= 15
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"")):
        with page.expect_download() as download:
            figure.get_by_role("button", name=kind).click()
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(begins)
        assert len(content) > 300
    assert "P(go)" in figure.locator(".drawn").get_attribute("aria-label")
    page.emulate_media(media="print")
    for away in ("#form", "#picture", "#p_go .files", "#view"):
        assert not page.locator(away).is_visible(), away
    for there in ("#answer table", "#p_go .drawn", "#p_go table"):
        assert page.locator(there).is_visible(), there


def test_a_picture_that_is_worked_out_anew_comes_back(page: Any) -> None:
    settled(page)
    page.get_by_role("tab", name="Toxicity boundary").click()
    caption = page.locator("figure#boundary figcaption")
    caption.filter(has_text="trials of case active followed").wait_for()
    chooser = page.locator("select[data-set=case]:visible")
    chooser.select_option("as_observed")
    caption.filter(has_text="trials of case as_observed followed").wait_for()
    # of pictures that show every case none asks for one
    page.get_by_role("tab", name="Harm").click()
    page.locator("figure#harm .drawn").wait_for()
    assert chooser.count() == 0
    page.get_by_role("tab", name="Why it is what it is").click()
    page.locator("figure#ledger figcaption").filter(has_text="as_observed: ").wait_for()


def test_with_the_keyboard_alone(page: Any) -> None:
    settled(page)
    page.keyboard.press("Tab")
    assert page.evaluate_handle("document.activeElement").inner_text() == "Skip to the numbers"
    address = page.url
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answers"
    assert page.url == address  # it holds the scenario
    page.evaluate("document.querySelector('#form').tabIndex = -1; document.querySelector('#form').focus()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate_handle("document.activeElement")
        reached.add(at.get_attribute("data-path") or at.get_attribute("data-value") or at.get_attribute("id"))
    assert {"example", "design.p0", "truth.active.response"} <= reached
    box = page.locator('input[type=text][data-path="truth.active.response"]')
    box.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("0.27")
    page.keyboard.press("Tab")
    page.locator("#answer td", has_text=re.compile(r"^27%$")).wait_for()


def test_a_dose_decision_is_added_and_left_out_with_the_keyboard_and_its_numbers_are_there(page: Any) -> None:
    settled(page)
    page.locator("#group-which-dose > summary").focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    # where the button was that was pressed there is now what it added, and one is in it
    rule = page.locator('select[data-switch="dose_decision.rule"]:focus')
    rule.wait_for()
    page.locator("#answer dt", has_text="Which dose goes forward").wait_for()
    page.get_by_role("tab", name="Which dose", exact=True).click()
    page.locator("#which_dose table").wait_for()
    page.get_by_role("button", name="Leave out dose decision").focus()
    page.keyboard.press("Enter")
    page.locator('button[data-add="dose_decision"]:focus').wait_for()
    page.locator("#which_dose", has_text="does not say which dose goes forward").wait_for()


def test_a_pin_and_what_differs_from_it(page: Any) -> None:
    settled(page)
    tab(page, "Compare")
    page.get_by_role("button", name="Pin what is on screen").click()
    type_in(page, "conduct.accrual.per_month", "9")
    told = page.locator("#compare", has_text="patients screened a month from 4.5 to 9")
    told.wait_for()
    page.get_by_role("button", name="Go back to it").click()
    page.locator('input[type=text][data-path="conduct.accrual.per_month"][value="4.5"]').wait_for(
        state="attached"
    )
    tab(page, "Take it home")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the scenario file").click()
    assert Path(download.value.path()).read_bytes() == TEXT.encode()


TABS = ("The trial", "Find a design", "Compare", "The observed trial", "Conduct and analysis", "Take it home")


@pytest.mark.skipif(AXE is None, reason="needs the package axe-core-python")
def test_every_tab_keeps_the_rules_of_axe_and_fits_a_telephone(server: Served, chromium: Any) -> None:
    assert AXE is not None
    assert AXE.origin is not None
    rules = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, bypass_csp=True)
    context.set_default_timeout(SLOW)
    page = context.new_page()
    page.goto(server.address)
    settled(page)
    page.add_script_tag(content=rules)
    # what is worked out anew is faded for that moment, which is no contrast to be judged
    page.add_style_tag(
        content=":is(.recalculating, .recalculating *) { opacity: 1 !important; transition: none !important }"
    )
    broken = {}
    for name in TABS:
        tab(page, name)
        all_there(page)
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        part = "document" if name == TABS[0] else "'#answers'"  # the form stands beside every tab
        found = page.evaluate(f"axe.run({part}, {{resultTypes: ['violations']}})")
        ours = [
            (rule["id"], node["target"], node["html"][:120])
            for rule in found["violations"]
            for node in rule["nodes"]
            if ".drawn" not in str(node["target"])  # inside plotly's own drawing, which has a table beside it
        ]
        if ours:
            broken[name] = ours
    context.close()
    assert not broken
    context = chromium.new_context(viewport={"width": 390, "height": 800}, bypass_csp=True)
    context.set_default_timeout(SLOW)
    page = context.new_page()
    page.goto(server.address)
    settled(page)
    wide = {}
    for name in TABS:
        tab(page, name)
        all_there(page)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 390:
            wide[name] = width
    context.close()
    assert not wide


def test_the_server_wrote_nothing_and_logged_no_fault(server: Served) -> None:
    assert not list(server.folder.iterdir())
    assert "Traceback" not in server.errors
    assert json.dumps(server.errors) == '""'


def test_the_running_trial_from_a_file(page: Any) -> None:
    settled(page)
    page.get_by_role("tab", name="The running trial").click()
    page.set_input_files("#running input[type=file]", str(CONFIGS / "patients-invented.csv"))
    status = page.locator("#running_status")
    status.get_by_text("ENROL the next patient at 70 mg BID.").wait_for(timeout=60_000)
    assert "36 patients enrolled by 2026-07-24: 29 at 100 mg BID, 7 at 70 mg BID" in status.inner_text()
    page.fill("#running-days [name=on]", "1 April")
    page.get_by_role("button", name="Where does it stand?").click()
    status.get_by_text("is no day; write the day as 2026-03-31").wait_for()
    page.set_input_files(
        "#running input[type=file]",
        {"name": "<b>.csv", "mimeType": "text/csv", "buffer": b"id,enrolled\n1,2026-01-05\n"},
    )
    status.get_by_text("no column").first.wait_for()
    assert page.locator("#running_days b").count() == 0
