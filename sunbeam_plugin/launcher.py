# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Run ``sunbeam`` with this folder's feature in the place of the built-in one.

Sunbeam loads what its own folder of features names, and imports it by package: so a folder in
front of that package's path takes the built-in's place, and nothing of Sunbeam is changed.
"""

from __future__ import annotations

import importlib
import pathlib
import types

HERE = pathlib.Path(__file__).resolve().parent


def take_place(features: types.ModuleType) -> None:
    """Let ``instance_recovery`` of this folder be found before the built-in one."""
    if str(HERE) not in features.__path__:
        features.__path__.insert(0, str(HERE))


def main() -> None:
    """Run Sunbeam's command."""
    take_place(importlib.import_module("sunbeam.features"))
    importlib.import_module("sunbeam.main").main()


if __name__ == "__main__":
    main()
