"""The command line: the same words as the Python API, plain errors, exit status 2 for what the user can mend.

Each command is a function in a module here; it imports what it needs when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from trialsim import timing
from trialsim.cli import (
    analyse,
    check,
    compare,
    evidence,
    files,
    find,
    monitor,
    oc,
    protocol,
    qualify,
    redesign,
    run,
    sensitivity,
    status,
    trace,
    whatif,
    word,
)
from trialsim.cli import app as page
from trialsim.cli.common import INTERRUPTED, Interrupted
from trialsim.cli.told import files_read, told
from trialsim.errors import DesignError, FileError, TrialsimError
from trialsim.version import __version__

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Operating characteristics of single-arm phase 2 trials with dose reduction: exact, simulated, and checked "
    "against the trial that happened.",
)


def main() -> None:
    """Run the command line; errors the user can mend are sentences on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a name in Greek must not stop a run on a terminal that cannot show it
            stream.reconfigure(errors="backslashreplace")
    before, timing.listener = timing.hear(), _say
    files_read.clear()
    try:
        arguments = together(sys.argv[1:])
        _tree(arguments[0] if arguments else "")(args=arguments)
    except FileError as error:
        _fail(str(error), 2)
    except Interrupted as error:
        _fail(str(error), timing.status())
    except DesignError as error:
        _fail(told(error), 2)
    except TrialsimError as error:
        _fail(f"error: {error}", 2)
    except OSError as error:
        _fail(f"error: output cannot be written: {(error.strerror or str(error)).lower()}", 2)
    except SystemExit as stop:
        # what an interrupt becomes inside a command
        if stop.code == INTERRUPTED or (timing.heard and stop.code):
            _fail("interrupted; no report was written", timing.status())
        raise
    finally:
        timing.listener = None
        for number, handler in before.items():
            signal.signal(number, handler)


@cache
def _tree(asked: str) -> Callable[..., Any]:
    """The command that is asked for with its options, or every one; built once, since ``main`` may be called often."""
    only = [each for each in app.registered_commands if each.callback and each.callback.__name__ == asked]
    tree = copy(app)
    tree.registered_commands = only or app.registered_commands
    return get_command(tree)


def _say(words: str) -> None:
    if sys.stderr is not None:
        print(words, file=sys.stderr, flush=True)


_LOOKS = (r"[-–−\d:,;]*/[-–−\d:/,;]*", " ")
_SEVERAL = {
    "--now": (r"[\d.,;]+", ","),
    "--rates": (r"[\d.,;]+", ","),
    "--design": _LOOKS,
    "oc": _LOOKS,
    "redesign": _LOOKS,
    "evidence": _LOOKS,
    "--outcomes": (r"[01?pP,;]+", ","),
}
"""Words after which a value may be written as several words: what such a word looks like, and what joins them."""


_CALLED_HERE = {
    "--pu": "--p0",
    "--pa": "--p1",
    "--ep1": "--alpha",
    "--ep2": "--beta",
    "--nsim": "--replicates",
}
"""Options as R's programs name them."""


def together(arguments: Sequence[str]) -> list[str]:
    """Arguments in which ``--now 21 5 8`` has become ``--now 21,5,8``, and ``--design 1/10 5/29`` one design."""
    found: list[str] = []
    pattern, joint, begun = "", "", False
    for k, argument in enumerate(arguments):
        # a design that begins without a stop is no option
        argument = re.sub(r"^-(?=\d*(?::\d+)?/\d)", "−", argument)
        if here := _CALLED_HERE.get(argument.partition("=")[0]):
            raise TrialsimError(f"{argument}: called {here} here")
        is_word = bool(pattern and re.fullmatch(pattern, argument))
        if is_word and begun:
            found[-1] = f"{found[-1]}{joint}{argument}"
            continue
        found.append(argument)
        if argument == "--docx" and arguments[0] == "protocol" and _names_no_word_file(arguments[k + 1 :]):
            found[-1] = "--docx="
        begun = is_word
        if not is_word:
            pattern, joint = _SEVERAL.get(argument, ("", ""))
    return found


def _names_no_word_file(after: Sequence[str]) -> bool:
    """Whether --docx is a flag, as the other commands have it: an option, a scenario or nothing stands behind it."""
    return not after or after[0].startswith("-") or after[0].lower().endswith((".yaml", ".yml"))


def _fail(message: str, status: int) -> None:
    if sys.stderr is not None:
        print(message, file=sys.stderr)
    sys.exit(status)


def _version(show: bool) -> None:
    if show:
        print(f"trialsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    pass


class Spoken(TyperCommand):
    """A command whose help says what each argument and option is in a sentence: capital letter, full stop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            text: str = getattr(parameter, "help", None) or ""
            said, bracket, default = text.partition(" [default")
            if said:
                said = said[0].upper() + said[1:] + ("" if said.endswith((".", "?")) else ".")
                parameter.help = said + bracket + default  # type: ignore[attr-defined]


for command in (
    run.run,
    find.find,
    oc.oc,
    check.check,
    analyse.analyse,
    monitor.monitor,
    redesign.redesign,
    evidence.evidence,
    status.status,
    sensitivity.sensitivity,
    whatif.whatif,
    compare.compare,
    protocol.protocol,
    word.docx,
    files.validate,
    trace.trace,
    files.reproduce,
    qualify.qualify,
    files.init,
    files.examples,
    files.schema,
    page.app,
):
    app.command(cls=Spoken)(command)
