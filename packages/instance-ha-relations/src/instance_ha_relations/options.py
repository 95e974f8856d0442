# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator is told of an option that cannot be used."""

from collections.abc import Callable

import pydantic


def with_dashes(field: str) -> str:
    """Return the option's name of a field, as ops reads options."""
    return field.replace("_", "-")


def describe(error: pydantic.ValidationError, *, spell: Callable[[str], str] = with_dashes) -> str:
    """Return the first fault in the operator's spelling, for example ``config: hold: …``.

    Args:
        error: Of a model whose fields are options; its values are not shown.
        spell: Returns the option's name of a field.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    reason = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
    option = [spell(str(first["loc"][0]))] if first["loc"] else []
    return ": ".join(["config", *option, reason])
