# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab to measure in: one that is up is taken as it is, and stays; else one comes and goes."""

import time

import pytest

from lab import host, juju, layers, process


def pytest_collection_modifyitems(items):
    """Measure first what needs a machine without a lab."""
    items.sort(key=lambda item: not item.path.name.startswith("test_fences"))


@pytest.fixture(scope="session")
def up_s():
    """Seconds that each layer took to come up, some side by side; nothing if the lab was up."""
    if process.alive(juju.AGENT):
        yield {}
        return
    began_s = time.monotonic()
    try:
        took_s = layers.up(host.hosts(3), profile="light")
        yield {**took_s, "all of it": time.monotonic() - began_s}
    finally:
        layers.down()
