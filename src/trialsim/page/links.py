"""A scenario in the address of the page: packed text behind a version, so that a link opens what its sender saw.

The text stands behind the ``#``, which a browser keeps to itself: no server's log holds an unpublished protocol.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from trialsim.errors import TrialsimError
from trialsim.scenario.reading import MAX_BYTES

VERSION = "1"
MAX_LINK = 200_000
"""Characters of the longest address that is read."""


class LinkError(TrialsimError):
    """An address that holds no scenario."""


def link(text: str) -> str:
    """What stands in the address for a scenario's text, from the ``#`` on."""
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    return f"#s={VERSION}.{packed}"


def read_link(address: str) -> str | None:
    """The text of a scenario that an address holds from the ``#`` on; None where it holds none.

    Raises:
        LinkError: it should hold one, but cannot be read.
    """
    found = re.fullmatch(r"#s=(\d{1,4})\.(.*)", address, re.DOTALL)
    if not found:
        if address.startswith("#s="):
            raise LinkError("This link holds no scenario: it may have been cut off. The page begins afresh.")
        return None
    version, packed = found.groups()
    if version != VERSION:
        raise LinkError(
            f"This link was made by another version of the page (its form is {version}, this page reads {VERSION})."
        )
    damaged = LinkError("This link is damaged or was cut off: ask for it again, or for the scenario file.")
    if len(address) > MAX_LINK or not re.fullmatch(r"[\w-]*", packed, re.ASCII):
        raise damaged
    try:
        unpacking = zlib.decompressobj()
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        text = unpacking.decompress(raw, MAX_BYTES + 1)
        if len(text) > MAX_BYTES or not unpacking.eof:
            raise damaged
        return text.decode()
    except (zlib.error, binascii.Error, UnicodeDecodeError, ValueError):
        raise damaged from None
