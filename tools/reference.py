# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Write ``docs/reference/<charm>.md`` of every charm from the charm's own files.

``reference.py`` writes the pages; ``reference.py --check`` tells which are not up to date.
"""

import argparse
import ast
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
ROLES = {"requires": "requires", "provides": "provides", "peers": "peer"}

METRICS = {
    "masakari-k8s": "packages/masakari-instance-ha/src/masakari_instance_ha",
    "masakari-monitors": "packages/hypervisor-instance-ha/src/hypervisor_instance_ha",
}
"""Charm -> the package whose modules make its metrics."""
ALERTS = {
    "masakari-k8s": "src/masakari_k8s/observe",
    "masakari-monitors": "src/masakari_monitors/observe",
}
"""Charm -> where its rules are."""

_HEAD = "<!-- Written by tools/reference.py; changes made here are lost. -->"
_KINDS = {
    "GaugeMetricFamily": "gauge",
    "CounterMetricFamily": "counter",
    "HistogramMetricFamily": "histogram",
    "_histogram": "histogram",
    "_gauge": "gauge",
}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One family of figures."""

    name: str
    kind: str
    text: str
    labels: Sequence[str]


def metrics(package: pathlib.Path) -> Iterator[Metric]:
    """Yield what the modules of a package make, in the order of their names."""
    found = [metric for path in package.glob("*.py") for metric in _metrics(path)]
    yield from sorted(found, key=lambda metric: metric.name)


def _metrics(path: pathlib.Path) -> Iterator[Metric]:
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        texts = {
            target.id: node.value.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                yield from _metric(call, name=call.func.id, texts=texts)


def _metric(call: ast.Call, *, name: str, texts: Mapping[str, object]) -> Iterator[Metric]:
    if name not in _KINDS or not isinstance(call.args[0], ast.Constant):
        return
    said = call.args[1]
    text = texts[said.id] if isinstance(said, ast.Name) else ast.literal_eval(said)
    labels = [ast.literal_eval(each.value) for each in call.keywords if each.arg == "labels"]
    kind = _KINDS[name]
    yield Metric(
        name=f"{call.args[0].value}{'_total' if kind == 'counter' else ''}",
        kind=kind,
        text=str(text),
        labels=labels[0] if labels else (),
    )


def page(charm: str) -> str:
    """Return the page of a charm."""
    home = ROOT / "charms" / charm
    meta = yaml.safe_load((home / "charmcraft.yaml").read_text(encoding="utf-8"))
    parts = [f"# {charm}\n\n{_HEAD}\n\n{meta['summary']}"]
    parts += ["## Options", *_options(meta.get("config", {}).get("options", {}))]
    parts += ["## Actions", *_actions(meta.get("actions", {}))]
    parts += ["## Relations", _relations(meta)]
    if charm in METRICS:
        listed = metrics(ROOT / METRICS[charm])
        cells = [(f"`{m.name}`", m.kind, ", ".join(m.labels) or "-", m.text) for m in listed]
        parts += ["## Metrics", _table(("metric", "kind", "labels", "what it tells"), cells)]
    if charm in ALERTS:
        parts += ["## Alerts", _alerts(home / ALERTS[charm])]
    return "\n\n".join(parts) + "\n"


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    cells = [
        (f"`{name}`", spec["type"], _default(spec), spec["description"])
        for name, spec in options.items()
    ]
    yield _table(("option", "type", "default", "what it means"), cells) if cells else "None."


def _actions(actions: Mapping[str, Any]) -> Iterator[str]:
    for name, spec in sorted(actions.items()):
        yield f"### {name}\n\n{_line(spec['description'])}"
        required = spec.get("required", ())
        cells = [
            (
                f"`{parameter}`",
                _type(each),
                "required" if parameter in required else _default(each),
                each["description"],
            )
            for parameter, each in spec.get("params", {}).items()
        ]
        if cells:
            yield _table(("parameter", "type", "default", "what it means"), cells)


def _relations(meta: Mapping[str, Any]) -> str:
    cells = [
        (
            f"`{name}`",
            role,
            f"`{spec['interface']}`",
            "yes" if spec.get("optional") is False else "no",
            spec.get("description", ""),
        )
        for key, role in ROLES.items()
        for name, spec in meta.get(key, {}).items()
    ]
    return _table(("endpoint", "role", "interface", "needed", "what for"), cells)


def _alerts(home: pathlib.Path) -> str:
    rules = [
        rule
        for path in sorted(home.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    cells = [
        (
            f"[{rule['alert']}](../{rule['annotations']['runbook'].removeprefix('docs/')})",
            rule["labels"]["severity"],
            rule.get("for", "at once"),
            re.sub(r"{{ \$labels\.(\w+) }}", _shouted, rule["annotations"]["summary"]),
        )
        for rule in rules
    ]
    return _table(("alert", "severity", "after", "what it says"), cells)


def _shouted(label: re.Match[str]) -> str:
    return label[1].upper()


def _type(spec: Mapping[str, Any]) -> str:
    if "enum" in spec:
        return ", ".join(str(word) or '""' for word in spec["enum"])
    ends = [spec.get("minimum"), spec.get("maximum")]
    if ends == [None, None]:
        return str(spec["type"])
    low, high = ("" if end is None else str(end) for end in ends)
    return f"{spec['type']}, {low} to {high}" if high else f"{spec['type']}, from {low}"


def _default(spec: Mapping[str, Any]) -> str:
    if "default" not in spec:
        return "-"
    value = spec["default"]
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def _line(text: str) -> str:
    return " ".join(text.split())


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(
        f"| {' | '.join(_line(cell).replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )


def charms() -> list[str]:
    """Return the names of all charms."""
    return sorted(path.parent.name for path in ROOT.glob("charms/*/charmcraft.yaml"))


def stale() -> list[str]:
    """Return the charms whose page is not what their files say."""
    return [
        charm
        for charm in charms()
        if not (PAGES / f"{charm}.md").exists()
        or (PAGES / f"{charm}.md").read_text(encoding="utf-8") != page(charm)
    ]


def main(argv: Sequence[str]) -> int:
    """Write the pages, or tell which are not up to date."""
    parser = argparse.ArgumentParser(description="Write the reference of every charm.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if one is stale")
    old = stale()
    if parser.parse_args(argv).check:
        for charm in old:
            print(f"docs/reference/{charm}.md is not up to date: run tools/reference.py")
        return 1 if old else 0
    for charm in old:
        (PAGES / f"{charm}.md").write_text(page(charm), encoding="utf-8")
        print(f"docs/reference/{charm}.md is written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
