# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What charmcraft.yaml says, for tests that go through all of it."""

import pathlib
from typing import Any

import yaml

from masakari_k8s.config import MasakariConfig

META: dict[str, Any] = yaml.safe_load(
    (pathlib.Path(__file__).parents[2] / "charmcraft.yaml").read_text()
)
OPTIONS: dict[str, Any] = META["config"]["options"]
ACTIONS: dict[str, Any] = META["actions"]


def config(**changed: object) -> MasakariConfig:
    """Return the options as an operator sets them, the others at their defaults."""
    values = {name: spec["default"] for name, spec in OPTIONS.items()} | changed
    return MasakariConfig.model_validate(
        {name.replace("-", "_"): value for name, value in values.items()}
    )
