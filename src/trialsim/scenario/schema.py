"""The JSON Schema of a scenario file, from the models: for editors, and for naming faults in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from trialsim.scenario.model import Scenario


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario file.

    Read from the file that is shipped: to make it from the models takes a third of a second, more than most answers.

    Returns:
        The schema; shared, not to be changed.

    Examples:
        >>> sorted(trialsim.schema()["required"])
        ['design', 'endpoint', 'name', 'schema', 'truth']
    """
    text = files("trialsim").joinpath("scenario/schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def schema_text() -> str:
    """The exact text of ``schema.json``, from the models."""
    schema = Scenario.model_json_schema(schema_generator=_Schema)
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "trialsim scenario",
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


class _Schema(GenerateJsonSchema):
    """The library's schema with the limits of lists under the names that JSON Schema gives them."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's signature
        """No titles that only repeat the key."""
        return False

    def generate(self, schema: Any, mode: Any = "validation") -> dict[str, Any]:
        """The whole schema, mended."""
        whole: dict[str, Any] = super().generate(schema, mode)
        for node in _nodes(whole):
            if node.get("type") == "array":
                # a tuple made from a list is bounded like text by the library's generator
                for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
                    if wrong in node:
                        node[right] = node.pop(wrong)
            if node.get("type") == "object" and "additionalProperties" in node:
                for wrong, right in (("minLength", "minProperties"), ("maxLength", "maxProperties")):
                    if wrong in node:
                        node[right] = node.pop(wrong)
            if "patternProperties" in node:
                node.setdefault("additionalProperties", False)
            # blocks of several kinds that may be left out: a key with nothing behind it is no such block
            kinds = [branch for branch in node.get("anyOf", ()) if branch != {"type": "null"}]
            if len(kinds) == 1 and "discriminator" in kinds[0]:
                node.update(kinds[0])
                node.pop("anyOf")
                node.pop("default", None)
        return whole


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)
