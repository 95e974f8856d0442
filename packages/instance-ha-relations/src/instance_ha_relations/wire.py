# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How databags become models and models become databags; every relation module uses it."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, TypeVar

import ops
import pydantic

from instance_ha_relations.errors import (
    RelationDataError,
    RelationIncompleteError,
    SecretUnavailableError,
)


class Databag(pydantic.BaseModel):
    """Base of what is read from or written into a databag; newer peers may say more."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )


class SecretContent(Databag):
    """Base of what a secret holds; its values never show in text."""


UNREADABLE = (ValueError, RecursionError)
"""What Python raises of a text that is no JSON, or holds a number or a depth beyond its limits."""

M = TypeVar("M", bound=Databag)
C = TypeVar("C", bound=SecretContent)


def text(value: str) -> object:
    """Take a value of a databag as it is."""
    return value


def json_or_text(value: str) -> object:
    """Decode a value that some peers write as JSON and some as bare text."""
    try:
        return json.loads(value)
    except UNREADABLE:
        return value


def _require_one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be a single line of printable text")
    return value


Line = Annotated[str, pydantic.Field(min_length=1), pydantic.AfterValidator(_require_one_line)]
"""Text that goes into a configuration file, where a line break would begin another option."""


def _require_one_secret_line(value: pydantic.SecretStr) -> pydantic.SecretStr:
    _require_one_line(value.get_secret_value())
    return value


SecretLine = Annotated[
    pydantic.SecretStr,
    pydantic.Field(min_length=1),
    pydantic.AfterValidator(_require_one_secret_line),
]
"""A :data:`Line` that never shows in text."""


def load(
    relation: ops.Relation,
    model: type[M],
    *,
    source: ops.Application | ops.Unit | None,
    decode: Callable[[str], object],
) -> M | None:
    """Read one databag of the other side.

    Returns:
        The data, or None while *source* has written none of the keys that *model* knows.

    Raises:
        RelationIncompleteError: if only keys are missing.
        RelationDataError: if a value cannot be used.
    """
    if source is None:
        return None
    names = [info.alias or name for name, info in model.model_fields.items()]
    bag = relation.data[source]
    raw = {name: bag[name] for name in names if name in bag}
    if not raw:
        return None
    decoded: dict[str, object] = {}
    for name, value in raw.items():
        try:
            decoded[name] = decode(value)
        except UNREADABLE as error:
            raise _malformed(relation, name, "is not JSON") from error
    try:
        return model.model_validate(decoded)
    except pydantic.ValidationError as error:
        raise _translate(relation, error) from error


def publish(bag: ops.RelationDataContent, values: Mapping[str, str | None]) -> None:
    """Make *bag* hold *values*, writing only what differs; None removes a key."""
    for key, value in values.items():
        if value is None:
            if key in bag:
                del bag[key]
        elif bag.get(key) != value:
            bag[key] = value


def as_json(data: Databag) -> dict[str, str]:
    """Return *data* as a databag whose every value is JSON, in an order that never changes."""
    fields = data.model_dump(mode="json", by_alias=True)
    return {key: json.dumps(value, sort_keys=True) for key, value in fields.items()}


def read_secret(
    model: ops.Model, secret_id: str, content: type[C], *, relation: ops.Relation
) -> C:
    """Read the newest revision of a secret that *relation* names.

    Raises:
        SecretUnavailableError: if the secret is gone or was not granted to us.
        RelationDataError: if its content cannot be used.
    """
    try:
        raw = model.get_secret(id=secret_id).get_content(refresh=True)
    except ops.ModelError as error:
        peer = relation.app.name if relation.app else "the other side"
        raise SecretUnavailableError(
            f"the secret named in {relation.name} cannot be read",
            f"{peer} removed it or did not grant it",
            f"Look at juju status of {peer}; integrate again if it does not come by itself",
            summary=f"{relation.name}: secret not granted",
        ) from error
    try:
        return content.model_validate(raw)
    except pydantic.ValidationError as error:
        raise _translate(relation, error, within="secret ") from error


def _translate(
    relation: ops.Relation, error: pydantic.ValidationError, *, within: str = ""
) -> RelationDataError:
    """Turn pydantic's error into ours, without any value in it."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    first = problems[0]
    key = str(first["loc"][0]) if first["loc"] else "data"
    if all(problem["type"] == "missing" and len(problem["loc"]) == 1 for problem in problems):
        missing = sorted(str(problem["loc"][0]) for problem in problems)
        return _incomplete(relation, missing, within=within)
    where = ".".join(str(part) for part in first["loc"]) or "data"
    return _malformed(relation, key, first["msg"], where=f"{within}{where}")


def _incomplete(
    relation: ops.Relation, missing: Collection[str], *, within: str
) -> RelationIncompleteError:
    return RelationIncompleteError(
        f"{relation.name} is not complete",
        f"{within}{', '.join(missing)} missing",
        f"Wait for {relation.app.name if relation.app else 'the other side'} to settle",
        summary=f"{relation.name}: waiting for {within}{next(iter(missing))}",
    )


def _malformed(
    relation: ops.Relation, key: str, reason: str, *, where: str = ""
) -> RelationDataError:
    peer = relation.app.name if relation.app else "the other side"
    return RelationDataError(
        f"{relation.name} holds data that cannot be used",
        f"{where or key}: {reason}",
        f"Look at what {peer} writes with juju show-unit, or refresh one of the two charms",
        summary=f"{relation.name}: malformed {key}",
    )
