"""Kinds of fields that more than one resource has."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str) -> str:
    """Refuse control characters but tab and line feed: no database, header or terminal wants them."""
    if _CONTROL.search(text):
        raise ValueError("it has a control character in it")
    return text


def decoded(value: object) -> object:
    """Decode a path's part: routes are found before it, so that a slash (%2F) can stand in a prefix."""
    try:
        return unquote(value, errors="strict") if isinstance(value, str) else value
    except UnicodeDecodeError:
        raise ValueError("it is not in UTF-8") from None


Text = Annotated[str, AfterValidator(clean), Field(max_length=1000)]
Line = Annotated[str, AfterValidator(clean), Field(max_length=255)]
#: Records in presentation form; a TXT of 65,535 bytes with its escapes is longer than any of use here.
Rdata = Annotated[str, AfterValidator(clean), Field(max_length=20_000)]
Part = Annotated[str, BeforeValidator(decoded), AfterValidator(clean)]

Name = Annotated[Part, Path(max_length=255, description="A domain, as people write it or in A-labels.")]
Owner = Annotated[
    Part, Path(max_length=255, description="Within its domain (`www`, `@` for the domain itself), or with a final dot.")
]
Type = Annotated[Part, Path(max_length=16, pattern="^[A-Za-z0-9-]+$", description="A record type.")]
Uid = Annotated[Part, Path(max_length=64, description="An account.")]
Id = Annotated[Part, Path(max_length=64, description="An identifier, as it was answered.")]
Secret = Annotated[Part, Path(max_length=200, description="The last part of an invitation's link.")]
Net = Annotated[Part, Path(max_length=64, description="A prefix; its slash is written `%2F`.")]
Number = Annotated[int, Path(ge=1, le=4_294_967_295, description="An autonomous system number.")]

Cursor = Annotated[
    Annotated[str, AfterValidator(clean)] | None,
    Query(max_length=1000, description="Where a list goes on: from `next` or the Link header."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at once.")]
Search = Annotated[
    Annotated[str, AfterValidator(clean)], Query(max_length=100, description="Only what has this in its name.")
]
Filter = Annotated[Annotated[str, AfterValidator(clean)] | None, Query(max_length=255)]


class Model(BaseModel):
    """What is sent: an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def example(**fields: Any) -> ConfigDict:  # noqa: ANN401 - JSON
    """Return a model's configuration with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


def stamp(time: datetime | None) -> str | None:
    """Return a time as RFC 3339 has it, in UTC and whole seconds."""
    if time is None:
        return None
    # A list has hundreds, and strftime() takes three times as long.
    clock = (time.year, time.month, time.day, time.hour, time.minute, time.second)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % clock  # noqa: UP031
