# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab import paths


@pytest.fixture(autouse=True)
def nothing_is_installed(tmp_path_factory, monkeypatch):
    """These tests run before ``python -m lab install`` as well: they find nothing of it."""
    monkeypatch.setattr(paths, "CACHE", tmp_path_factory.mktemp("cache"))
