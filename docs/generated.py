"""The parts of the pages that the program writes itself, so that they cannot fall behind it.

``python docs/generated.py FOLDER`` writes them by hand; ``conf.py`` does so at every build.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

UNITS = {"per_month": "a month", "_weeks": "weeks", "_week": "weeks", "_months": "months", "_month": "months"}
"""What the end of a key says about its unit; the first that fits."""


def write_all(folder: Path) -> None:
    """Every generated part, as Markdown that a page includes."""
    from trialsim.scenario.schema import schema_text

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.md").write_text(scenario_keys(json.loads(schema_text())), encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")


# -- the scenario file


def scenario_keys(schema: Schema) -> str:
    """A section a block of the scenario file, with a table of its keys."""
    definitions = schema["$defs"]
    lines = ["## The whole file", "", *_table(schema, definitions), ""]
    for name, path in _places(schema, definitions).items():
        block = definitions[name]
        kind = block["properties"].get("kind", {}).get("const")
        title = f"`{path}`, `kind: {kind}`" if kind else f"`{path}`"
        lines += [f"({_anchor(name)})=", "", f"## {title}", "", _text(block.get("description", "")), ""]
        lines += [*_table(block, definitions), ""]
    return "\n".join(lines)


def _places(schema: Schema, definitions: dict[str, Schema]) -> dict[str, str]:
    """Every block with keys of its own -> its path in the file, as first met when the file is read from the top."""
    found: dict[str, str] = {}

    def walk(part: Any, path: str) -> None:
        if not isinstance(part, dict):
            return
        name = _name(part)
        if name in definitions and "properties" in definitions[name] and name not in found:
            found[name] = path
            for key, entry in definitions[name]["properties"].items():
                walk(entry, f"{path}.{key}" if path else key)
        for way in part.get("anyOf", []) + part.get("oneOf", []):
            walk(way, path)
        walk(part.get("items"), f"{path}[]")
        for entry in [*part.get("patternProperties", {}).values(), part.get("additionalProperties")]:
            walk(entry, f"{path}.NAME")

    for key, entry in schema["properties"].items():
        walk(entry, key)
    return found


def _table(block: Schema, definitions: dict[str, Schema]) -> list[str]:
    lines = ["| key | what may be written | default | meaning |", "|---|---|---|---|"]
    for key, entry in block["properties"].items():
        if key == "kind":
            continue
        default = "**required**" if key in block.get("required", []) else _default(entry)
        meaning = entry.get("description") or _described(entry, definitions)
        unit = next((f", {word}" for end, word in UNITS.items() if key.endswith(end)), "")
        cells = (f"`{key}`", _allowed(entry, definitions) + unit, default, _text(meaning))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _described(entry: Schema, definitions: dict[str, Schema]) -> str:
    """The description of the block that an entry stands for, where it is only one."""
    blocks = {_name(way) for way in [entry, entry.get("items", {}), *entry.get("anyOf", [])]} & {*definitions}
    return str(definitions[blocks.pop()].get("description", "")) if len(blocks) == 1 else ""


def _default(entry: Schema) -> str:
    value = entry.get("default")
    if value in (None, {}, []):
        return ""
    if isinstance(value, dict):
        return "as below"
    return f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def _allowed(entry: Schema, definitions: dict[str, Schema]) -> str:
    return " or ".join(dict.fromkeys(_ways(entry, definitions)))


def _ways(entry: Schema, definitions: dict[str, Schema]) -> Iterator[str]:
    """Each way in which a value may be written, in words."""
    if "discriminator" in entry:
        kinds = entry["discriminator"]["mapping"].items()
        named = (f"[{kind}](#{_anchor(ref.rpartition('/')[2])})" for kind, ref in kinds)
        yield f"block of `kind:` {', '.join(named)}"
    elif "$ref" in entry:
        name = _name(entry)
        yield f"[block](#{_anchor(name)})" if "properties" in definitions[name] else "any value"
    elif "anyOf" in entry or "oneOf" in entry:
        limits: Schema = {key: entry[key] for key in ("ge", "le") if key in entry}
        for way in entry.get("anyOf", []) + entry.get("oneOf", []):
            if way.get("type") != "null":
                yield from _ways({**limits, **way}, definitions)
    elif "enum" in entry:
        yield ", ".join(f"`{value}`" for value in entry["enum"])
    elif "const" in entry:
        yield f"`{entry['const']}`"
    elif entry.get("type") == "array":
        yield _list(entry, definitions)
    elif entry.get("type") == "object":
        inner = [*entry.get("patternProperties", {}).values(), entry.get("additionalProperties")]
        of = next((_allowed(way, definitions) for way in inner if isinstance(way, dict)), "any value")
        if of == "any value":
            yield "names and their values"
        else:
            yield f"names, each with a {of}" if of.startswith("[block") else f"names, each with {of}"
    elif entry.get("type") in ("integer", "number"):
        yield _number(entry)
    elif entry.get("type") == "boolean":
        yield "`true`, `false`"
    else:
        yield "text" if entry.get("type") == "string" else "any value"


def _list(entry: Schema, definitions: dict[str, Schema]) -> str:
    if "prefixItems" in entry:
        return "\\[" + "; ".join(_allowed(item, definitions) for item in entry["prefixItems"]) + "\\]"
    inner = _allowed(entry["items"], definitions)
    return "list of " + (inner.replace("[block]", "[blocks]") if inner.startswith("[block]") else inner)


def _number(entry: Schema) -> str:
    word = "whole number" if entry["type"] == "integer" else "number"
    low, high = entry.get("minimum", entry.get("ge")), entry.get("maximum", entry.get("le"))
    above, below = entry.get("exclusiveMinimum"), entry.get("exclusiveMaximum")
    ends = [f"from {low:,}"] if low is not None else [f"above {above:,}"] if above is not None else []
    if high is not None:
        ends.append(f"to {high:,}" if ends else f"up to {high:,}")
    if below is not None:
        ends.append(f"below {below:,}")
    return f"{word} {', '.join(ends) if above is not None else ' '.join(ends)}".rstrip()


def _name(entry: Schema) -> str:
    return str(entry.get("$ref", "")).rpartition("/")[2]


def _anchor(name: str) -> str:
    return f"block-{name.lower()}"


def _text(text: str) -> str:
    """A description as Markdown: its stars and angles are no markup."""
    return " ".join(text.replace("*", "\\*").replace("<", "&lt;").replace("[", "\\[").split())


# -- the command line


def commands() -> str:
    """A section a command: what it prints when asked for help."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from trialsim.cli import app

    runner, lines = CliRunner(), []
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        shown = runner.invoke(app, [name, "--help"], prog_name="trialsim", env={"COLUMNS": "92"})
        if shown.exit_code:
            raise RuntimeError(f"trialsim {name} --help failed: {shown.output}")
        lines += [f"## `trialsim {name}`", "", "```text", shown.output.strip(), "```", ""]
    return "\n".join(lines)


# -- the Python reference

FIELDS = ("Parameters", "Attributes", "Raises", "Returns")


def spread(lines: list[str]) -> None:
    """Docstring lines ``name : what it is`` below a numpy heading become a name and an indented description."""
    inside, result = False, []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line in FIELDS and set(following) == {"-"}:
            inside = True
        elif not line.strip():
            inside = False
        if inside and " : " in line and not line.startswith(" "):
            for field in re.split(r"; (?=[\w, ]+ : )", line):
                name, _, what = field.partition(" : ")
                result += [name, f"    {what}"]
        else:
            result.append(line)
    lines[:] = result


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
