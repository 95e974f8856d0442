# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One lab for all: first its own parts are tried, then the product in it."""

import pytest

from lab import host, layers

ORDER = (
    "test_substrate",
    "test_cloud",
    "test_scenarios",
    "test_monitors",
    "test_stories",
    "test_pages",
    "test_chaos",
)


def pytest_collection_modifyitems(items):
    """Try the ground before what stands on it; other tests of the session stay as they are."""
    names = {item: item.module.__name__.rpartition(".")[2] for item in items}
    items.sort(key=lambda item: ORDER.index(names[item]) if names[item] in ORDER else -1)


@pytest.fixture(scope="session", autouse=True)
def leave_nothing():
    """Take the lab down in the end, whatever failed."""
    yield
    layers.down()


@pytest.fixture(scope="session")
def lab():
    """The whole lab, with guests on Ceph."""
    layers.up(host.hosts(3), profile="full")
