# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One lab for all: first its own parts are tried, then the product in it."""

import functools
import itertools

import pytest

from lab import deployment, host, juju, layers, stories

ORDER = (
    "test_substrate",
    "test_cloud",
    "test_scenarios",
    "test_monitors",
    "test_stories",
    "test_pages",
    "test_chaos",
    "test_every_step",
)

DEADLINE_S = 120
"""After which a rebuild counts as hung, instead of ten minutes."""

TURNS = itertools.cycle(host.hosts(3))
"""Whom the next story befalls: a host that was lost twice within minutes is believed later."""


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


@pytest.fixture(scope="module")
def hurry():
    """Do not wait ten minutes for what Nova forgets.

    Without its database or queue for a moment it may leave a rebuild unfinished for ever.
    """
    with deployment.option(juju.client(), "evacuation-deadline", DEADLINE_S):
        yield


@pytest.fixture
def play(request, capsys):
    """Play what happens to a host, each time to the next one, and print its timeline."""

    def played(act, **how):
        story = stories.Story(name=request.node.name, play=functools.partial(act, **how))
        timeline = stories.play(story, say=lambda _: None, host=next(TURNS))
        with capsys.disabled():
            print(f"\n== {story.name}\n{timeline}")

    return played
