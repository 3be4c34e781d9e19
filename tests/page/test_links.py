"""Links of the page: what was packed is unpacked, and nothing else is."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import CONFIGS
from trialsim.page.links import MAX_LINK, LinkError, link, read_link
from trialsim.scenario.files import MAX_BYTES


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("**/*.yaml")), ids=lambda file: file.stem)
def test_a_scenario_comes_back_to_the_byte(file) -> None:  # type: ignore[no-untyped-def]
    text = file.read_text(encoding="utf-8")
    address = link(text)
    assert read_link(address) == text
    assert len(address) < 8000  # what mail programs and chats carry


def packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


BAD = {
    "cut": link("name: x")[:-3],
    "no version": "#s=abc",
    "not base64": "#s=1.%%%",
    "not packed": f"#s=1.{packed(b'name: x')}",
    "not UTF-8": f"#s=1.{packed(zlib.compress(bytes([255, 254, 0])))}",
    "a bomb": f"#s=1.{packed(zlib.compress(bytes(50_000_000), 9))}",
    "more behind the end": f"#s=1.{packed(zlib.compress(b'a' * (MAX_BYTES + 1)))}",
    "too long": "#s=1." + "A" * MAX_LINK,
    "another version": link("name: x").replace("#s=1.", "#s=2."),
    "script": "#s=1.<script>alert(1)</script>",
    "lines": "#s=1.\n\n",
    "empty": "#s=1.",
}


@pytest.mark.parametrize("address", BAD.values(), ids=BAD)
def test_a_bad_link_is_told_in_a_sentence(address: str) -> None:
    with pytest.raises(LinkError, match=r"^This link .*\.$"):
        read_link(address)


@pytest.mark.parametrize("address", ["", "#", "#see", "?s=1.abc"])
def test_an_address_without_a_scenario_is_none(address: str) -> None:
    assert read_link(address) is None


@given(st.text())
def test_any_text_is_no_traceback(text: str) -> None:
    for address in (text, f"#s={text}", f"#s=1.{text}"):
        try:
            found = read_link(address)
        except LinkError:
            continue
        assert found is None or link(found)
