# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pathlib

import pytest

from tools import docs_check

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param("[x](none.md)", "link to none.md: there is no such file", id="no-file"),
        pytest.param(
            "# Title\n[x](#other)", "link to #other: there is no such heading", id="no-heading"
        ),
        pytest.param(
            "run `make coffee` first",
            "`make coffee`: the Makefile has no such target",
            id="no-target",
        ),
        pytest.param(
            "    tox run -e unit,tea",
            "`tox -e tea`: tox.ini has no such environment",
            id="no-environment",
        ),
        pytest.param("It is simply so.", "“simply”: leave it out", id="word"),
    ],
)
def test_document_is_held_against_the_repository(tmp_path, text, finding):
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(docs_check.findings(page)) == [finding]


def test_good_document_passes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, with `code`\n\n[here](#a-title-with-code) [there](page.md) [away](https://x.y)\n"
        "\n    make test\n    tox run -e unit-py312\n\n`simply` is fine in code.\n"
    )
    assert list(docs_check.findings(page)) == []


def test_decision_without_alternatives_is_incomplete(tmp_path):
    adr = tmp_path / "adr"
    adr.mkdir()
    page = adr / "0001-a-choice.md"
    page.write_text("# 1 A choice\n## Context\n## Decision\n## Consequences\n")
    assert list(docs_check.findings(page)) == ["heading “Alternatives” is missing"]


def test_our_own_documents_pass():
    found = {page.name: list(docs_check.findings(page)) for page in docs_check.documents()}
    assert {name: each for name, each in found.items() if each} == {}
