# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab import cli, disk, layers, network, stories
from lab.maas import faults


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    """A lab that has two hosts, both off."""
    for name in ("h1", "h2"):
        (tmp_path / "hosts" / name).mkdir(parents=True)
    monkeypatch.setattr(disk, "HOSTS", tmp_path / "hosts")
    monkeypatch.setattr(network, "CUTS", tmp_path / "cuts")
    monkeypatch.setattr(network, "SWITCH", "iha-unit-test")
    monkeypatch.setattr(faults, "FILE", tmp_path / "faults.json")


def test_a_cable_is_cut_and_healed():
    assert cli.main(["cut", "h1", "storage"]) == 0
    assert network.is_cut("iha-unit-test-h1", off=network.STORAGE)
    assert not network.is_cut("iha-unit-test-h1", off=network.TENANT)

    assert cli.main(["heal", "h1", "storage"]) == 0
    assert not network.is_cut("iha-unit-test-h1", off=network.STORAGE)


def test_heal_without_a_host_heals_everything():
    cli.main(["cut", "h1", "all"])
    cli.main(["cut", "h2", "tenant", "--carrier"])

    assert cli.main(["heal"]) == 0

    assert not any(network.CUTS.iterdir())


def test_power_control_fails_for_one_host_only():
    assert cli.main(["maas", "slow", "h1", "--seconds", "3"]) == 0

    met = faults.find("h1")
    assert met == faults.Injected(fault=faults.Fault.SLOW, seconds=3.0)
    assert faults.find("h2") is None

    assert cli.main(["maas", "none"]) == 0
    assert faults.find("h1") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["kill", "h9"], "h9 is not part of the lab", id="host not up"),
        pytest.param(["kill", "compute-7"], "no host is called compute-7", id="no such name"),
    ],
)
def test_a_mistake_is_explained(capsys, words, said):
    assert cli.main(words) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "h9" in error or "run `" in error


def test_every_layer_stands_on_layers_before_it():
    names: list[str] = []
    for layer in layers.LAYERS:
        assert set(layer.after) <= set(names), f"{layer.name} would wait for ever"
        names.append(layer.name)
    assert len(names) == len(set(names))


def test_every_story_is_told_in_a_sentence(capsys):
    assert cli.main(["stories"]) == 0

    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(stories.STORIES)
    assert all(line.endswith(".") for line in told)


def test_each_story_of_the_demo_befalls_another_host(capsys, monkeypatch):
    def play(story, *, say, host):
        return f"{story.name} befell {host.name}"

    monkeypatch.setattr(layers, "up", lambda hosts, *, profile: None)
    monkeypatch.setattr(stories, "play", play)
    assert cli.main(["demo"]) == 0
    said = capsys.readouterr().out
    for name, lost in zip(stories.DEMO, ("h1", "h2", "h3"), strict=True):
        assert f"{name} befell {lost}" in said


def test_the_demo_plays_stories_that_exist():
    assert set(stories.DEMO) <= set(stories.STORIES)
