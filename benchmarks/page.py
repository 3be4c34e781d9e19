"""How quickly the page follows a slider, how it fares with ten visitors, and what it keeps of those who have left.

``python -m benchmarks.page`` serves the page and prints, each as median and 95th percentile:

    browser     from the change of a slider to new numbers and a newly drawn curve in chromium, 200 moves
    visitors    ten sessions, each with one move a second, as their WebSockets hear it
    calendar    20,000 trials in calendar time of every case, from a move on
    memory      of the server after 500 moves, and after 50 sessions that came and went

The yardstick of the same run is an exact answer of the same scenario in this process.
"""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.page.server import Served, browser, served

OUTPUTS = ("state", "answer", "p_go", "wrong")
INIT = {".clientdata_url_hash": "", **{f".clientdata_output_{name}_hidden": False for name in OUTPUTS}}

WATCH = """
(rate) => new Promise(resolve => {
  const box = document.querySelector('input[type=text][data-path="truth.active.response"]');
  const began = performance.now(), words = `${+(100 * rate).toPrecision(4)}%`;
  const drawn = document.querySelector("#p_go .drawn");
  const there = () => [...document.querySelectorAll("#answer td")].some(cell => cell.textContent === words);
  let curve = false;
  drawn.once("plotly_afterplot", () => { curve = true; look(); });
  const look = () => { if (curve && there()) { watch.disconnect(); resolve(performance.now() - began); } };
  const watch = new MutationObserver(look);
  watch.observe(document.querySelector("#answer"), {childList: true, subtree: true});
  box.value = rate;
  box.dispatchEvent(new Event("change", {bubbles: true}));
})
"""


def told(name: str, seconds: list[float], yardstick: float) -> None:
    """One line: how many, median and 95th percentile, and the median in yardsticks."""
    ordered = sorted(seconds)
    p95 = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    middle = statistics.median(ordered)
    print(
        f"{name:10} {len(ordered):4} moves: median {1000 * middle:6.0f} ms, p95 {1000 * p95:6.0f} ms, "
        f"{middle / yardstick:5.1f} x an exact answer",
        flush=True,
    )


class Visitor:
    """A session without a browser: sends moves, hears answers."""

    def __init__(self, server: Served) -> None:
        from websockets.sync.client import connect

        self.socket = connect(server.websocket, max_size=None, ping_interval=None, legacy=True)
        self.send("init", INIT)

    def send(self, method: str, data: dict[str, Any]) -> None:
        """A message as Shiny's script sends it."""
        self.socket.send(json.dumps({"method": method, "data": data}))

    def move(self, rate: float) -> float:
        """Seconds from a move of the slider until the numbers and the curve of that move are there."""
        began = time.perf_counter()
        self.send(
            "update",
            {"edit": {"path": "truth.active.response", "value": repr(rate), "how": "set", "number": began}},
        )
        self.hear(lambda said: f">{100 * rate:.4g}%" in said and '"p_go"' in said)
        return time.perf_counter() - began

    def hear(self, wanted: Callable[[str], bool]) -> str:
        """The first message of outputs that is wanted."""
        while True:
            said = str(self.socket.recv(timeout=120))
            if said.startswith('{"values"') and wanted(said):
                return said

    def replicates(self) -> Callable[[str], bool]:
        """Whether a message says that 20,000 trials a case are reached."""

        def reached(said: str) -> bool:
            found = re.search(r"([\d,]+)(?: of [\d,]+)? simulated trials a case", said)
            return bool(found) and int(found[1].replace(",", "")) >= 20_000  # type: ignore[index]

        return reached


def rates(count: int) -> list[float]:
    """Different rates, none of them that of another case."""
    return [round(0.12 + 0.0007 * (k % 149) + 0.00001 * (k // 149), 5) for k in range(count)]


def in_browser(server: Served, yardstick: float, moves: int = 200) -> None:
    """From the change event to the page."""
    with browser() as opened:
        page = opened.new_context(bypass_csp=True, viewport={"width": 1400, "height": 1000}).new_page()
        began = time.perf_counter()
        page.goto(server.address)
        page.locator("#p_go .drawn svg").first.wait_for()
        print(f"first picture {time.perf_counter() - began:.1f} s after the address was opened", flush=True)
        told("browser", [page.evaluate(WATCH, rate) / 1000 for rate in rates(moves)], yardstick)


def with_visitors(server: Served, yardstick: float, visitors: int = 10, moves: int = 20) -> None:
    """Ten sessions, each with a move a second."""
    seconds: list[float] = []

    def visit(k: int) -> None:
        visitor = Visitor(server)
        visitor.hear(lambda said: '"p_go"' in said)
        for rate in rates(visitors * moves)[k::visitors]:
            began = time.perf_counter()
            seconds.append(visitor.move(rate))
            time.sleep(max(0.0, 1 - (time.perf_counter() - began)))
        visitor.socket.close()

    threads = [threading.Thread(target=visit, args=(k,)) for k in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told("visitors", seconds, yardstick)


def calendar(server: Served, yardstick: float, moves: int = 20) -> None:
    """From a move to 20,000 trials a case."""
    visitor, seconds = Visitor(server), []
    for rate in rates(moves):
        began = time.perf_counter()
        visitor.move(rate)
        visitor.hear(visitor.replicates())
        seconds.append(time.perf_counter() - began)
    visitor.socket.close()
    told("calendar", seconds, yardstick)


def memory(server: Served) -> None:
    """What the server holds."""

    def now(what: str) -> None:
        time.sleep(2)
        print(f"memory {server.memory() / 1e6:6.0f} MB {what}", flush=True)

    now("before")
    visitor = Visitor(server)
    for part in range(5):
        for rate in rates(500)[part::5]:
            visitor.move(rate)
        now(f"after {100 * (part + 1)} moves of one session")
    visitor.socket.close()
    for count in (25, 50):
        for _ in range(25):
            visitor = Visitor(server)
            visitor.hear(lambda said: '"p_go"' in said)
            visitor.socket.close()
        now(f"after {count} sessions that came and went")


def main() -> None:
    """All of it."""
    from tests.helpers import DASATINIB

    from trialsim import exact, load
    from trialsim.scenario.compiled import Compiled

    scenario, took = load(DASATINIB), []
    for _ in range(12):
        began = time.perf_counter()
        exact(Compiled.of(scenario), totals=False)
        took.append(time.perf_counter() - began)
    yardstick = statistics.median(took)
    print(f"yardstick  exact answer of all cases: {1000 * yardstick:.0f} ms", flush=True)
    with tempfile.TemporaryDirectory() as place, served(Path(place), str(DASATINIB)) as server:
        Visitor(server).hear(lambda said: '"p_go"' in said)
        in_browser(server, yardstick)
        with_visitors(server, yardstick)
        calendar(server, yardstick)
        memory(server)


if __name__ == "__main__":
    main()
