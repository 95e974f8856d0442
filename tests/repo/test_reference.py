# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The reference pages say what the charms' own files say."""

import pathlib

import pytest
import yaml

from tools import reference

CHARMS = {
    charm: yaml.safe_load((reference.ROOT / "charms" / charm / "charmcraft.yaml").read_text())
    for charm in reference.charms()
}


def test_pages_are_up_to_date():
    assert reference.stale() == [], "run tools/reference.py"


@pytest.mark.parametrize("charm", CHARMS)
def test_page_has_every_option_action_and_endpoint(charm: str):
    text, meta = reference.page(charm), CHARMS[charm]

    for option, spec in meta.get("config", {}).get("options", {}).items():
        assert f"| `{option}` | {spec['type']} |" in text
    for action in meta.get("actions", {}):
        assert f"\n### {action}\n" in text
    for role in reference.ROLES:
        for endpoint in meta.get(role, {}):
            assert f"\n| `{endpoint}` |" in text


def test_every_metric_that_is_made_is_found(tmp_path: pathlib.Path):
    (tmp_path / "some.py").write_text(
        "def one():\n    text = 'Why | how.'\n    return GaugeMetricFamily('a', text, value=1)\n"
        "def two():\n    yield CounterMetricFamily('b', 'What.', labels=['x', 'y'])\n"
        "def three(name):\n    return _histogram('c', 'How ' 'long.', [])\n"
        "def four(name):\n    return HistogramMetricFamily(name, 'not by itself')\n"
    )

    found = {m.name: (m.kind, m.text, list(m.labels)) for m in reference.metrics(tmp_path)}

    assert found == {
        "a": ("gauge", "Why | how.", []),
        "b_total": ("counter", "What.", ["x", "y"]),
        "c": ("histogram", "How long.", []),
    }


def test_check_tells_what_is_stale(tmp_path: pathlib.Path, monkeypatch, capsys):
    monkeypatch.setattr(reference, "PAGES", tmp_path)

    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().out.count("is not up to date") == len(CHARMS)
    assert not list(tmp_path.iterdir())

    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
