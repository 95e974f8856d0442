# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever partners and people write: no error, no service that stops, no half configuration."""

import contextlib
import dataclasses
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from ops import testing

from masakari_instance_ha import cli
from masakari_k8s.commands import COMMANDS, ParameterError

from .cloud import API, ENGINE, GRANTED, HOSTMONITOR, READY, Cloud, running
from .metadata import ACTIONS, OPTIONS

ALL = {API, ENGINE, HOSTMONITOR}
WATCHERS = (
    testing.Relation("logging", remote_app_name="loki"),
    testing.Relation("receive-ca-cert", remote_app_name="keystone"),
    testing.Relation(
        "ingress-public",
        remote_app_name="traefik",
        remote_app_data={"ingress": json.dumps({"url": "http://10.70.0.2/masakari"})},
    ),
    testing.Relation("hypervisors", remote_app_name="monitors"),
)
KEYS = {
    "logging": ("endpoint",),
    "receive-ca-cert": ("ca", "certificate", "chain", "certificates", "version"),
    "hypervisors": ("contract", "nova_host", "boot_id", "address", "juju_machine"),
}
EXAMPLES = 6

# What breaks readers in practice, and what hypothesis thinks of.
odd = st.sampled_from(
    ["", " ", "null", "true", "[]", "{}", '""', '"', "{", "0", "1" * 5000, "[" * 3000, "a\nb = c",
     "\u2028", "http://[", '{"url": "http://h:99999"}', '["a", null]', '{"h1": null}', "secret:no",
     '"secret:no"', "$" * 9, "-----BEGIN CERTIFICATE-----\nx"]
)  # fmt: skip
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
).map(json.dumps)
values = odd | trees | st.text(max_size=30)

quietly = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def well_formed(cloud: Cloud) -> None:
    """Fail if a line of a configuration file is none."""
    for name, text in cloud.files().items():
        if name.endswith(".conf"):
            for line in text.splitlines():
                assert not line or line[0] in "[#" or " =" in line, f"{name}: {line!r}"


@pytest.mark.parametrize("relation", [*READY[:-1], *WATCHERS], ids=lambda one: one.endpoint)
def test_whatever_a_partner_writes_services_go_on(cloud: Cloud, relation: testing.Relation):
    known = KEYS.get(relation.endpoint, tuple(relation.remote_app_data))
    good = cloud.run(cloud.state(*READY, *WATCHERS))

    @quietly
    @hypothesis.given(st.dictionaries(st.sampled_from(known), values | st.none(), min_size=1))
    def write(bag: dict[str, str | None]) -> None:
        said = {key: value for key, value in bag.items() if value is not None}
        kept = {k: v for k, v in relation.remote_app_data.items() if k not in bag}
        written = dataclasses.replace(
            relation,
            remote_app_data={**kept, **said},
            remote_units_data={0: said},
        )
        others = {one for one in good.relations if one.endpoint != relation.endpoint}
        before = cloud.files()

        state = cloud.run(dataclasses.replace(good, relations={*others, written}))

        assert running(state) == ALL
        assert len(state.unit_status.message) <= 60
        well_formed(cloud)
        refused = state.unit_status.message.startswith(f"{relation.endpoint}: ")
        if refused and relation.endpoint in {"database", "amqp", "identity-service", "fencing"}:
            assert cloud.files() == before, "what was good stays"

    write()


@pytest.mark.parametrize("granted", GRANTED, ids=lambda one: one.id)
def test_whatever_a_secret_holds_services_go_on(cloud: Cloud, granted: testing.Secret):
    good = cloud.run(cloud.state())
    keys = st.sampled_from([*granted.tracked_content, "other"])
    text = st.text(min_size=1, max_size=20) | st.sampled_from(["a\nb = c", "$", "%", "]"])

    @quietly
    @hypothesis.given(st.dictionaries(keys, text, min_size=1))
    def hold(content: dict[str, str]) -> None:
        others = {one for one in good.secrets if one.id != granted.id}
        odd_one = testing.Secret(content, id=granted.id)

        state = cloud.run(dataclasses.replace(good, secrets={*others, odd_one}))

        assert running(state) == ALL
        well_formed(cloud)

    hold()


def option(spec: dict[str, Any]) -> st.SearchStrategy[Any]:
    numbers = st.integers(-(2**40), 2**40)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "int": numbers,
        "float": st.floats(allow_nan=False, allow_infinity=False) | numbers.map(float),
        "string": st.text(max_size=20) | odd,
    }
    return kinds[spec["type"]]


def test_whatever_is_configured_services_go_on(cloud: Cloud):
    good = cloud.run(cloud.state())
    one = st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda name: st.tuples(st.just(name), option(OPTIONS[name]))
    )

    @hypothesis.settings(quietly, max_examples=20)
    @hypothesis.given(st.lists(one, min_size=1, max_size=3).map(dict))
    def configure(options: dict[str, Any]) -> None:
        before = cloud.files()

        state = cloud.run(dataclasses.replace(good, config=options))

        assert running(state) == ALL
        well_formed(cloud)
        if state.unit_status.name == "blocked" and "config:" in state.unit_status.message:
            assert cloud.files() == before, "what was good stays"

    configure()


def parameter(spec: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in spec:
        return st.sampled_from(spec["enum"])
    if spec["type"] == "integer":
        return st.integers(spec.get("minimum"), spec.get("maximum", 2**70))
    if spec["type"] == "boolean":
        return st.booleans()
    texts = st.text(max_size=20) | odd | st.sampled_from(["--help", "-x", "--format=table"])
    return texts.filter(lambda text: len(text) >= spec.get("minLength", 0))


@pytest.mark.parametrize("action", COMMANDS)
def test_whatever_is_asked_is_refused_in_words_or_understood(action: str, monkeypatch, capsys):
    spec = ACTIONS[action]
    needed = set(spec.get("required", ()))
    params = {name: parameter(each) for name, each in spec.get("params", {}).items()}
    given = st.fixed_dictionaries(
        {name: each for name, each in params.items() if name in needed},
        optional={name: each for name, each in params.items() if name not in needed},
    )
    seen: list[dict[str, Any]] = []

    def remember(arguments: Any) -> None:
        seen.append(vars(arguments))
        raise cli.InputError("only parsed")

    monkeypatch.setattr(cli, "Call", remember)

    @hypothesis.settings(quietly, max_examples=10)
    @hypothesis.given(given)
    def ask(asked: dict[str, Any]) -> None:
        with contextlib.suppress(ParameterError):
            words = COMMANDS[action].argv(asked)
            with contextlib.suppress(SystemExit):  # refused by the parser, in words
                assert cli.main(["--format", "json", *words]) == cli.WRONG_INPUT
                assert seen[-1]["format"] == "json", "no parameter becomes an option"
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert "usage: instance-ha [-h]\n\n" not in said.out

    ask()
