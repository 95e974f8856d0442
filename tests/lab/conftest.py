# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One lab for all: first its own parts are tried, then the product in it."""

import pytest

from lab import layers

ORDER = ("test_substrate", "test_cloud", "test_stories")


def pytest_collection_modifyitems(items):
    """Try the ground before what stands on it."""
    items.sort(key=lambda item: ORDER.index(item.module.__name__.rpartition(".")[2]))


@pytest.fixture(scope="session", autouse=True)
def leave_nothing():
    """Take the lab down in the end, whatever failed."""
    yield
    layers.down()
