"""The parts of the pages that the program writes itself, so that they cannot fall behind it.

``python docs/generated.py`` (``make pages``) writes them into the pages, between ``<!-- generated -->`` and ``<!-- end
-->``; with ``--check`` it writes nothing and fails if a page is not current, as a test does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trialsim.scenario.reading import Reader, resolve
from trialsim.scenario.schema import schema_text

HERE = Path(__file__).parent
SCENARIOS = (*sorted((HERE.parent / "configs").glob("*.yaml")), *sorted((HERE / "examples").glob("*.yaml")))
"""Where the examples of keys are taken from: the scenarios of configs/, then those of docs/examples/ for the rest."""

Schema = dict[str, Any]

UNITS = {"per_month": "a month", "_weeks": "weeks", "_week": "weeks", "_months": "months", "_month": "months"}
"""What the end of a key says about its unit; the first that fits."""


START, END = "<!-- generated -->", "<!-- end -->"


def parts() -> dict[str, str]:
    """Page -> its generated part, as Markdown."""
    schema = json.loads(schema_text())
    return {"scenario.md": scenario_keys(schema, examples(schema)), "commands.md": commands()}


def page_with(page: str, part: str) -> str:
    """The text of a page with a new generated part."""
    before, rest = page.split(START)
    return f"{before}{START}\n\n{part.strip()}\n\n{END}{rest.split(END)[1]}"


def stale() -> dict[Path, str]:
    """Pages whose generated part is not what the program says -> what they should be."""
    pages = {HERE / name: part for name, part in parts().items()}
    new = {page: page_with(page.read_text(encoding="utf-8"), part) for page, part in pages.items()}
    return {page: text for page, text in new.items() if page.read_text(encoding="utf-8") != text}


# -- the scenario file


Examples = dict[tuple[str, str], str]
"""(block, key) -> a value, as a scenario file would write it; the block of the whole file is "" """


def examples(schema: Schema) -> Examples:
    """The shortest value that a scenario of ours gives to each key."""
    found: Examples = {}

    def walk(value: Any, part: Schema) -> None:
        for name, shape in _alternatives(part, schema["$defs"], value):
            if isinstance(value, dict):
                for key, inner in value.items():
                    entry = shape.get("properties", {}).get(key)
                    if entry:
                        text = written(inner)
                        found[name, key] = min(found.get((name, key), text), text, key=lambda t: (len(t), t))
                    walk(inner, entry or _of_names(shape))
            elif isinstance(value, list):
                for inner in value:
                    walk(inner, shape.get("items", {}))

    for path in SCENARIOS:
        scenario = Reader(path.read_text(encoding="utf-8")).read()
        walk(scenario, schema)
        for changes in scenario.get("variants", {}).values():
            for place, value in changes.items():
                part: Schema = schema
                for key in place.split("."):
                    part = _inner(part, key, schema["$defs"])
                walk(value, part)
    return found


def _inner(part: Schema, key: str, definitions: dict[str, Schema]) -> Schema:
    """What a schema says of one key of a block that is no choice between blocks; {} where it is one."""
    ways = [part, *part.get("anyOf", [])]
    blocks = [definitions.get(_name(way), way) for way in ways]
    return next((block["properties"][key] for block in blocks if key in block.get("properties", {})), {})


def _alternatives(part: Schema, definitions: dict[str, Schema], value: Any) -> Iterator[tuple[str, Schema]]:
    """The blocks that a value may be an instance of: (name, what the schema says of it)."""
    if "discriminator" in part:
        if isinstance(value, dict) and value.get("kind") in part["discriminator"]["mapping"]:
            name = part["discriminator"]["mapping"][value["kind"]].rpartition("/")[2]
            yield name, definitions[name]
    elif "$ref" in part:
        name = _name(part)
        if isinstance(value, dict) and {*value} <= {*definitions[name].get("properties", value)}:
            yield name, definitions[name]
        elif not isinstance(value, dict):
            yield from _alternatives({**definitions[name]}, definitions, value)
    elif "anyOf" in part or "oneOf" in part:
        for way in [*part.get("anyOf", []), *part.get("oneOf", [])]:
            yield from _alternatives(way, definitions, value)
    else:
        yield "", part


def _of_names(shape: Schema) -> Schema:
    """What a schema says of values whose names are a user's own."""
    inner = [*shape.get("patternProperties", {}).values(), shape.get("additionalProperties")]
    return next((way for way in inner if isinstance(way, dict)), {})


def written(value: Any) -> str:
    """A value on one line, as a scenario file would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z][^:#,{}\[\]\"']*", value) and isinstance(resolve(value), str)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


SHARED = {"power"}
"""Keys that mean the same in every search; the example of one kind of design serves for all."""

LONGEST = 120
"""Letters of an example; a longer one is told by the examples of the keys in it."""


def scenario_keys(schema: Schema, shown: Examples) -> str:
    """A section a block of the scenario file, with a table of its keys."""
    definitions = schema["$defs"]
    places = _places(schema, definitions)
    for name, path in places.items():
        definitions[name]["anchor"] = _slug(_title(definitions[name], path))
    lines = ["## The whole file", "", *_table("", schema, definitions, shown), ""]
    for name, path in places.items():
        block = definitions[name]
        lines += [f"## {_title(block, path)}", "", _text(block.get("description", "")), ""]
        lines += [*_table(name, block, definitions, shown), ""]
    return "\n".join(lines)


def _title(block: Schema, path: str) -> str:
    kind = block["properties"].get("kind", {}).get("const")
    return f"`{path}`, `kind: {kind}`" if kind else f"`{path}`"


def _slug(heading: str) -> str:
    """The address of a heading, as MyST and repository sites make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


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


def _table(name: str, block: Schema, definitions: dict[str, Schema], shown: Examples) -> list[str]:
    lines = ["| key | what may be written | default | meaning | example |", "|---|---|---|---|---|"]
    for key, entry in block["properties"].items():
        if key == "kind":
            continue
        default = "**required**" if key in block.get("required", []) else _default(entry)
        meaning = entry.get("description") or _described(entry, definitions)
        unit = next((f", {word}" for end, word in UNITS.items() if key.endswith(end)), "")
        example = shown.get((name, key)) or shown.get(("Simon", key), "") * (key in SHARED)
        example = f"`{example}`" if 0 < len(example) <= LONGEST else "as below" if example else ""
        cells = (f"`{key}`", _allowed(entry, definitions) + unit, default, _text(meaning), example)
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
        named = (f"[{kind}](#{definitions[ref.rpartition('/')[2]]['anchor']})" for kind, ref in kinds)
        yield f"block of `kind:` {', '.join(named)}"
    elif "$ref" in entry:
        name = _name(entry)
        yield f"[block](#{definitions[name]['anchor']})" if "properties" in definitions[name] else "any value"
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


if __name__ == "__main__":
    behind = stale()
    if "--check" in sys.argv:
        sys.exit(f"not current: {', '.join(page.name for page in behind)}; make pages" if behind else 0)
    for page, text in behind.items():
        page.write_text(text, encoding="utf-8")
        print(f"{page} written")
