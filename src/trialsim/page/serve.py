"""The page served from this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
import webbrowser
from typing import Any

from trialsim.errors import TrialsimError

LOOPBACK = "127.0.0.1"
PORT = 8765
MAX_MESSAGE = 700_000
"""Bytes of the longest message that a browser may send: the longest text that is read, in any script, as JSON."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guarded:
    """An ASGI application behind headers that browsers heed, closed to what the page never asks for."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"GET, HEAD")]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        await self.inner(scope, receive, with_headers)


def serve(text: str, *, host: str, port: int | None, browser: bool) -> None:
    """Serve the page until it is interrupted.

    Raises:
        TrialsimError: the address cannot be used.
    """
    import uvicorn

    from trialsim.page.application import application

    listening = _listening(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    print(address, flush=True)
    if not _is_loopback(host):
        print(
            f"WARNING: the page listens on {host}: everybody who reaches this machine can use it; there is no password",
            file=sys.stderr,
            flush=True,
        )
    config = uvicorn.Config(
        Guarded(application(text)),
        log_level="warning",
        ws_max_size=MAX_MESSAGE,
        ws="websockets-sansio",
        timeout_graceful_shutdown=2,
    )
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):  # how a page is closed
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket at this address: at the usual port or, if that is taken and none was asked for, at a free one."""
    for each in (PORT, 0) if port is None else (port,):
        try:
            family = socket.getaddrinfo(host, each, type=socket.SOCK_STREAM)[0][0]
            found = socket.socket(family, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise TrialsimError(f"--host {host}: no such address on this machine") from None
        if sys.platform != "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, each))
            found.listen(128)  # who comes before the page is up waits for it
        except OSError as error:
            found.close()
            if port is not None:
                why = (error.strerror or str(error)).lower()
                raise TrialsimError(f"cannot listen on {host}, port {each}: {why}") from None
            continue
        return found
    raise TrialsimError(f"cannot listen on {host}: no port is free")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
