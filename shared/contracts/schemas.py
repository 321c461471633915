"""JSON Schema (2020-12) of each event's body, generated from its model, for whoever reads or writes it elsewhere. Pure.

A submission's schema takes what its sender may write, a fact's what lies on its topic, from the oldest release on. What
a model refuses for its form (a type, a range, a pattern, a field too many or too few), its schema refuses too; what a
number or a text means (a day of the calendar, a rubric that exists) is judged by the service that reads it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from shared.contracts.base import DAY, LIKE_THOUSANDS

DIALECT = GenerateJsonSchema.schema_dialect
Schema = dict[str, Any]
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def schema_of(model: type[BaseModel], *, name: str, outside: bool) -> Schema:
    """The schema of a model's JSON.

    Args:
        model: what it is read as.
        name: the `ce_type` under which it is published.
        outside: whether an outside sender writes it; else it is one of our facts.
    """
    mode: JsonSchemaMode = "validation" if outside else "serialization"
    schema = model.model_json_schema(mode=mode, schema_generator=_Published)
    if outside:
        _not_blank(schema)
    return {"$schema": DIALECT, "$id": f"urn:langhoc:event:{name}", **_worded(schema), "title": name}


class _Published(GenerateJsonSchema):
    """What Pydantic generates, with what the contracts hold beyond it, and what is said of each field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a name in capitals says nothing more."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """With the words for each field."""
        found = super().model_schema(schema)
        cls: type[BaseModel] = schema["cls"]
        for name, text in _said_of(cls).items():
            shown = cls.model_fields[name].serialization_alias or name if name in cls.model_fields else name
            if shown in found["properties"]:
                found["properties"][shown] = {"description": text, **found["properties"][shown]}
        return found

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A key that is none is refused, not passed by."""
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """The tag must be there, whatever its default."""
        found = super().tagged_union_schema(schema)
        return {"oneOf": found["oneOf"], "required": [found["discriminator"]["propertyName"]]}

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Facts say an exact number as a text; a sender may write a number too, and no text with two readings."""
        if self.mode == "serialization":
            return {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$"}
        given: Mapping[str, Any] = schema
        bounds = {keyword: int(given[name]) for name, keyword in _BOUNDS.items() if name in given}  # all are whole
        sign = "" if bounds.get("minimum", -1) >= 0 else "-?"
        more = given["max_digits"] - given["decimal_places"] - 1
        text = {
            "type": "string",
            "pattern": rf"^{sign}(0|[1-9][0-9]{{0,{more}}})(\.[0-9]+)?$",
            "not": {"pattern": f"^{LIKE_THOUSANDS.pattern}$"},
        }
        return {"anyOf": [{"type": "number", **bounds}, text]}

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        """A `format` alone binds nobody."""
        return {**super().date_schema(schema), "pattern": f"^{DAY.pattern}$"}


def _not_blank(schema: Any) -> None:
    """Blanks around a sender's text say nothing, so that blanks alone are no text."""
    for each in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(each, dict | list):
            _not_blank(each)
    if isinstance(schema, dict) and schema.get("minLength"):
        schema.setdefault("pattern", r"\S")


def _worded(schema: Any) -> Any:
    """Descriptions as a reader of JSON has them: one line a paragraph, and no word of Python's."""
    if isinstance(schema, list):
        return [_worded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _in_json(each) if name == "description" and isinstance(each, str) else _worded(each)
        for name, each in schema.items()
    }


def _in_json(text: str) -> str:
    paragraphs = "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
    for ours, theirs in (("None", "null"), ("True", "true"), ("False", "false")):
        paragraphs = paragraphs.replace(f"`{ours}`", f"`{theirs}`")
    return paragraphs


def _said_of(model: type) -> dict[str, str]:
    """What stands under the fields of a model and of those that it is made from."""
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        module = inspect.getmodule(each)
        if module is not None and issubclass(each, BaseModel) and each is not BaseModel:
            said |= _documented(module).get(each.__name__, {})
    return said


@cache
def _documented(module: ModuleType) -> dict[str, dict[str, str]]:
    """By class, the text that stands under each of its fields."""
    return {
        found.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in zip(found.body, found.body[1:], strict=False)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        }
        for found in ast.parse(inspect.getsource(module)).body
        if isinstance(found, ast.ClassDef)
    }
