"""What no browser of ours sends: links, edits, texts and messages made to break the page or to get out of it."""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import HANG, TEACHING
from tests.page.server import Served, served
from trialsim.page.links import link

pytest.importorskip("shiny")
websockets = pytest.importorskip("websockets.sync.client")

OUTPUTS = ("state", "answer", "wrong", "p_go", "making", "elsewhere", "file_view", "left_out")
SHOWN = {f".clientdata_output_{name}_hidden": False for name in OUTPUTS}
RANDOM = random.Random(12)

PATHS = (
    "truth.active.response", "truth", "design", "design.kind", "design.n", "name", "schema", "doses[0]", "doses[99]",
    "truth.active.response[7]", "../../etc/passwd", "__class__.__init__", "a.b.c.d", "[]", ".", "x" * 300, "x" * 301,
    "conduct.assessment_weeks[0]", "simulation.replicates", "simulation.seed", "truth.<script>", "design.looks[0].next",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    "", "0.2", "nan", ".nan", "-.inf", "1e400", "9" * 400, "0x10", "!!python/object/apply:os.system [ls]", "&a *a",
    "{{{{",
    "<script>alert(1)</script>", "../../etc/passwd", "\x00", "\u202e", "[1, 2, 3]", "{a: 1}", "9" * 9_000, "x" * 10_001,
    None, True, 3, 0.5, [], {}, ["a"], {"a": {}},
)  # fmt: skip
TEXTS = (
    "", "\x00", "a: &a [*a]", "- " * 50_000, "{" * 60_000, "x" * 100_001, "name: !!python/object:os.system {}",
    "%YAML 9.9",
    TEACHING.read_text(encoding="utf-8").replace("replicates: 100000", "replicates: 1000000000"),
    TEACHING.read_text(encoding="utf-8").replace("name: ", "name: <img src=x onerror=alert(1)> "),
    "design: {kind: bryant_day, p0: 0.1, p1: 0.11, alpha: 0.0001, beta: 0.0001, nmax: 10000}",
)  # fmt: skip
LINKS = (
    "#s=1.AAAA",
    "#s=99.x",
    "#s=1." + "A" * 150_000,
    "#<script>",
    link("name: x"),
    link("a: &a [*a, *a]"),
    "#s=",
)


def update(**data: Any) -> str:
    return json.dumps({"method": "update", "data": data})


def messages() -> list[str]:
    """Two hundred and more, each of a kind that is not supposed to come."""
    found = [
        update(edit={"path": path, "value": value, "how": how})
        for how in ("set", "add", "switch", "remove", "nothing", 7)
        for path, value in RANDOM.sample([(path, value) for path in PATHS for value in VALUES], 28)
    ]
    found += [update(edit=value) for value in VALUES[19:]]
    found += [
        update(open={"kind": kind, "text": text, "name": text}) for kind in ("text", "file") for text in TEXTS
    ]
    found += [
        update(open={"kind": "example", "name": name})
        for name in ("../../etc/passwd", "", None, 7, ["dasatinib"])
    ]
    found += [update(act={"act": act, "chosen": it, "by": it, "key": it}) for act in ("make", "trial", "pin", 7, None)
              for it in ("/etc/passwd", "../x", None, 1e300, {})]  # fmt: skip
    found += [update(picked=value) for value in VALUES[19:]] + [update(case=value) for value in VALUES[:6]]
    found += [update(**{".clientdata_url_hash": address}) for address in LINKS]
    found += [
        json.dumps(
            {"method": "uploadInit", "tag": 1, "args": [[{"name": "../x", "size": 1e12, "type": "x"}]]}
        )
    ]
    return found


ENDS = (
    "{",
    "[]",
    "null",
    "7",
    '"x"',
    '{"method": "nope"}',
    '{"method": "update", "data": 5}',
    "x" * 800_000,
    b"\xff\xfe",
)
"""Messages after which a server may close the connection."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("hostile")
    few = TEACHING.read_text(encoding="utf-8").replace("replicates: 100000", "replicates: 1000")
    (place / "few.yaml").write_text(few, encoding="utf-8")
    with served(place, str(place / "few.yaml")) as found:
        yield found


class Guest:
    """A connection that says what it likes."""

    def __init__(self, server: Served) -> None:
        self.socket = websockets.connect(server.websocket, max_size=None, ping_interval=None, legacy=True)
        self.said: list[str] = []
        self.socket.send(json.dumps({"method": "init", "data": {".clientdata_url_hash": "", **SHOWN}}))

    def send(self, message: str | bytes) -> None:
        self.socket.send(message)

    def hear(self, wanted: str) -> str:
        """All that is said until something is."""
        while True:
            self.said.append(str(self.socket.recv(timeout=HANG)))
            if wanted in self.said[-1]:
                return self.said[-1]


def answered(guest: Guest, percent: str = "33%") -> None:
    """The page still does what it is for: it opens a scenario and moves it."""
    for name, words in (("gehan", "run gehan-design.yaml"), ("teaching", "run teaching-example.yaml")):
        guest.send(update(open={"kind": "example", "name": name, "number": RANDOM.random()}))
        guest.hear(words)
    guest.send(
        update(
            edit={"path": "truth.active.response", "value": "0.33", "how": "set", "number": RANDOM.random()}
        )
    )
    guest.hear(percent)


def test_two_hundred_messages_leave_the_page_as_it_was(server: Served) -> None:
    hostile = messages()
    assert len(hostile) > 200
    RANDOM.shuffle(hostile)
    guest = Guest(server)
    for k, message in enumerate(hostile):
        guest.send(message)
        if k % 50 == 49:
            answered(guest)
    answered(guest)
    said = "".join(guest.said)
    assert "Traceback" not in said
    # faults are told as text in a message of their own; what becomes part of the page is escaped
    html = "".join(
        str(value.get("html", ""))
        for message in guest.said
        for value in json.loads(message).get("values", {}).values()
        if isinstance(value, dict)
    )
    assert "&lt;script&gt;alert" in html or "&lt;img src=x" in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "root:" not in said
    assert not list(server.folder.iterdir())
    assert server.process.poll() is None


@pytest.mark.parametrize("message", ENDS, ids=lambda message: repr(message[:20]))
def test_a_message_that_is_none_ends_its_session_at_most(server: Served, message: str | bytes) -> None:
    guest = Guest(server)
    guest.send(message)
    answered(Guest(server))
    assert server.process.poll() is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_asked_for_but_by_get(server: Served, method: str) -> None:
    request = urllib.request.Request(f"{server.address}session/x/upload/1", b"x", method=method)
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request, timeout=HANG)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "lib/../../x", "session/x/download/y"]
)
def test_no_path_leads_out(server: Served, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match=r"4\d\d"):
        urllib.request.urlopen(server.address + path, timeout=HANG)


def test_headers_are_those_that_browsers_heed(server: Served) -> None:
    with urllib.request.urlopen(server.address, timeout=HANG) as answer:
        headers = answer.headers
    assert "object-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
