# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Values in the files of OpenStack's services, which oslo.config reads."""

import pydantic


def escaped(value: str | pydantic.SecretStr) -> str:
    """Return *value* as oslo.config reads it back: ``$`` would begin a reference.

    Raises:
        ValueError: if a line break would end the option and begin another.
    """
    text = value.get_secret_value() if isinstance(value, pydantic.SecretStr) else value
    if not text.isprintable():
        raise ValueError("a value for a configuration file has a line break in it")
    return text.replace("$", "$$")
