# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from instance_ha.reboots import Boot
from masakari_instance_ha import hypervisors


def test_boots_are_kept(journal):
    book = journal.boots()
    assert book.boots() == {}

    book.note("h1", Boot(id="a", since_s=100.0))
    book.note("h2", Boot(id="c", since_s=100.0))
    book.note("h1", Boot(id="b", since_s=200.0))

    assert journal.boots().boots() == {
        "h1": Boot(id="b", since_s=200.0),
        "h2": Boot(id="c", since_s=100.0),
    }


def test_only_a_loss_that_masakari_was_told_of_is_a_recovery(journal):
    book = journal.boots()
    incident = journal.open("h1", segment="s", at_s=150.0, reason="lost")
    assert not book.was_recovered("h1", since_s=100.0)

    journal.move(incident, incident.state, at_s=151.0, notification="n-1")

    assert book.was_recovered("h1", since_s=100.0)
    assert not book.was_recovered("h1", since_s=200.0)
    assert not book.was_recovered("h2", since_s=100.0)


def test_what_the_machines_published_is_read(tmp_path):
    path = tmp_path / "hypervisors.json"
    said = {
        "h1": {"boot_id": "a", "address": "10.71.0.11"},
        "h2": {"boot_id": "", "address": "10.71.0.12"},
        "h3": {"boot_id": "c"},
        "h4": "what",
    }
    path.write_text(json.dumps(said))

    assert hypervisors.boot_ids(str(path)) == {"h1": "a", "h3": "c"}
    assert hypervisors.addresses(str(path)) == {"10.71.0.11": "h1", "10.71.0.12": "h2"}


@pytest.mark.parametrize("text", ["[1]", "{", None], ids=["no mapping", "no json", "no file"])
def test_without_a_list_nothing_is_known(tmp_path, text):
    path = tmp_path / "hypervisors.json"
    if text is not None:
        path.write_text(text)

    assert hypervisors.boot_ids(str(path)) == {}
    assert hypervisors.boot_ids(None) == {}
