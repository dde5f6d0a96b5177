"""The JSON Schema of cards, sources' own options included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xharness.files import write_changed, write_text
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.recipe import Recipe
from xharness.spec.sources import SourceSpec

HEADER = "# yaml-language-server: $schema=../schema.json\n"
"""The first line of a card in a folder of a folder of cards."""
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def text(catalogue: Catalogue) -> str:
    """The schema as it is published."""
    return json.dumps(schema(catalogue), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write(catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write the schema into a folder of cards, and into each card the line that names it; the files
    that changed.

    Editors check a card against the schema that its first line names.
    """
    file = folder / "schema.json"
    changed_files = [file] if write_changed(file, text(catalogue)) else []
    for path in sorted(folder.glob("*/*.yaml")):
        card = path.read_text(encoding="utf-8")
        if not card.startswith(HEADER):
            write_text(path, HEADER + card)
            changed_files.append(path)
    return changed_files


def schema(catalogue: Catalogue) -> dict[str, Any]:
    """What an editor needs to complete and check a card; recipes with their fields."""
    card = TaskCard.model_json_schema(by_alias=True)
    definitions = card["$defs"]
    branches = [_source(name, catalogue, definitions) for name in catalogue.sources]
    definitions["SourceSpec"] = {"anyOf": [*branches, _unknown_source(catalogue)]}
    # Examples, not an enumeration: a plugin that is missing here may bring another one.
    card["properties"]["task_type"]["examples"] = list(catalogue.task_types)
    recipe = Recipe.model_json_schema()
    definitions |= recipe.pop("$defs", {})
    for column in ("base", "large"):
        definitions["PublishedRecipe"]["properties"][column] |= {
            # Of a recipe a card states some fields: none is required here.
            "properties": recipe["properties"],
            "additionalProperties": False,
        }
    return {"$schema": _DRAFT, "title": "An xharness task card", **card}


def _source(name: str, catalogue: Catalogue, definitions: dict[str, Any]) -> dict[str, Any]:
    """A source by that name: what every source reads, and its own options."""
    common = SourceSpec.model_json_schema(by_alias=True)
    options = catalogue.sources[name].options.model_json_schema(by_alias=True)
    definitions |= options.pop("$defs", {})
    properties = {**common["properties"], **options.get("properties", {}), "from": {"const": name}}
    return {
        "title": f"from: {name}",
        "type": "object",
        "properties": properties,
        "required": ["from", *options.get("required", [])],
        "additionalProperties": False,
    }


def _unknown_source(catalogue: Catalogue) -> dict[str, Any]:
    """A source of a plugin that is not installed here: its options are not known."""
    common = SourceSpec.model_json_schema(by_alias=True)
    unknown = {"type": "string", "not": {"enum": list(catalogue.sources)}}
    common["properties"] = {**common["properties"], "from": unknown}
    return {**common, "title": "from: a source of another plugin"}
