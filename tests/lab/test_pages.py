# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of the documents, run as a reader would; ``tools.pages`` says how they are read."""

import os
import pathlib
import subprocess
import time

import pytest

from lab import deployment, host, juju, shell
from lab.paths import REPOSITORY
from lab.process import deadline
from lab.stories.scene import Scene
from tools import pages

pytestmark = pytest.mark.lab

DOCS = REPOSITORY / "docs"
STEP_S, UNTIL_S, AGAIN_S = 300, 240, 1
SET_BY_PAGES = ("approval-segments", "return")
"""Options that a page which ends halfway leaves, and that would keep the next one waiting."""


@pytest.fixture
def reader(lab):
    """Run scripts as people do; the lab is as it was afterwards."""
    everyone = host.hosts(3)
    client = juju.client()
    deployment.ensure_enrolled(client, everyone)
    scene = Scene(say=lambda _: None)
    variables = {**os.environ, **shell.environment()}

    def run(script):
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=REPOSITORY,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=deadline(STEP_S),
            check=False,
        )

    yield run
    client.config(deployment.MASAKARI, reset=SET_BY_PAGES)
    for pause in deployment.instance_ha(client, "pauses"):
        deployment.instance_ha(client, "resume", str(pause["id"]))
    scene.restore(everyone)
    enrol_as_before(client, everyone)


def enrol_as_before(client, everyone):
    """Put every host back into the lab's own segment, whatever a page made of it."""
    for known in deployment.instance_ha(client, "host", "list"):
        if known["segment"] != deployment.SEGMENT or known["reserved"]:
            client.run(
                f"{deployment.MASAKARI}/0", "remove-host", {"host": known["name"], "confirm": True}
            )
    for segment in deployment.instance_ha(client, "segment", "list"):
        if segment["name"] != deployment.SEGMENT:
            client.run(
                f"{deployment.MASAKARI}/0",
                "delete-segment",
                {"segment": segment["name"], "confirm": True},
            )
    deployment.ensure_enrolled(client, everyone)


def play(run, step):
    """Run one step; return its transcript, or fail with it."""
    end = time.monotonic() + deadline(UNTIL_S)
    while True:
        done = run(step.script)
        wanted = pages.missing(step.expected, done.stdout)
        sound = (done.returncode != 0) == (step.order == "refused") and wanted is None
        transcript = f"$ {step.script}\n{done.stdout}"
        if sound:
            return transcript
        if step.order != "until" or time.monotonic() > end:
            said = f"did not print: {wanted}" if wanted else f"ended with {done.returncode}"
            pytest.fail(f"line {step.line} {said}\n{transcript}", pytrace=False)
        time.sleep(AGAIN_S)


def each_page():
    for page in pages.pages(DOCS):
        marks = [pytest.mark.chaos] if pages.is_long(page.read_text()) else []
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        yield pytest.param(page, id=name, marks=marks)


@pytest.mark.parametrize("page", list(each_page()))
def test_a_page_does_what_it_says(reader, page: pathlib.Path):
    for step in pages.steps(page.read_text()):
        if step.order != "elsewhere":
            print(play(reader, step))
