# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read a charm and lay it out as ``charmcraft pack`` and a unit agent do."""

import pathlib
import shutil
import stat
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import pydantic
import yaml

from .errors import NotPlayedError, RequestError

UNPLAYED_KEYS = ("storage", "devices", "payloads")
"""Parts of a charm that would cause hooks or tools that the lab does not play."""

JUJU_INFO = "juju-info"
"""The endpoint that every application provides without saying so."""


class Frozen(pydantic.BaseModel):
    """A value that never changes once read."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class Endpoint(Frozen):
    """One end of a possible relation."""

    name: str
    role: str
    interface: str
    scope: str = "global"
    limit: int | None = None

    @property
    def implicit(self) -> bool:
        """Whether Juju runs no hooks for this end (relationer.go: IsImplicit)."""
        return self.name == JUJU_INFO and self.role == "provides"


class Option(Frozen):
    """A configuration option."""

    type: str
    default: Any = None


class ActionSpec(Frozen):
    """What an action takes."""

    params: Mapping[str, Mapping[str, Any]] = {}
    required: tuple[str, ...] = ()
    additional: bool = True


class Charm(Frozen):
    """What Juju must know of a charm."""

    name: str
    subordinate: bool = False
    endpoints: Mapping[str, Endpoint] = {}
    extra_bindings: tuple[str, ...] = ()
    """Names besides those of endpoints that can be bound to a network."""
    options: Mapping[str, Option] = {}
    actions: Mapping[str, ActionSpec] = {}
    containers: Mapping[str, str] = {}
    """Container name to the name of its image's resource."""
    resources: tuple[str, ...] = ()


def read(charm: pathlib.Path) -> Charm:
    """Return what the charm in directory *charm* declares.

    Raises:
        RequestError: if there is no charm.
        NotPlayedError: if it declares something that the lab cannot play.
    """
    parts = split(charm)
    meta = parts["metadata"]
    if unplayed := [key for key in UNPLAYED_KEYS if meta.get(key)]:
        raise NotPlayedError(f"{' and '.join(unplayed)} of charm {meta['name']}")
    resources = meta.get("resources") or {}
    return Charm(
        name=meta["name"],
        subordinate=meta.get("subordinate", False),
        endpoints={end.name: end for end in _endpoints(meta)},
        extra_bindings=tuple(meta.get("extra-bindings") or ()),
        options={
            name: Option(**option)
            for name, option in (parts["config"].get("options") or {}).items()
        },
        actions={name: _action(spec or {}) for name, spec in parts["actions"].items()},
        containers={
            name: (spec or {}).get("resource", "")
            for name, spec in (meta.get("containers") or {}).items()
        },
        resources=tuple(resources),
    )


def _endpoints(meta: Mapping[str, Any]) -> Iterable[Endpoint]:
    for role in ("peers", "provides", "requires"):
        for name, spec in (meta.get(role) or {}).items():
            yield Endpoint(name=name, role=role, **spec)
    if JUJU_INFO not in (meta.get("requires") or {}):
        yield Endpoint(name=JUJU_INFO, role="provides", interface=JUJU_INFO)


def _action(spec: Mapping[str, Any]) -> ActionSpec:
    return ActionSpec(
        params=spec.get("params") or {},
        required=tuple(spec.get("required") or ()),
        additional=spec.get("additionalProperties", True),
    )


def split(charm: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Return metadata, config, actions and manifest, as ``charmcraft pack`` separates them."""
    source = charm / "charmcraft.yaml"
    if not source.exists():
        if not (charm / "metadata.yaml").exists():
            raise RequestError(f"{charm} is no charm: it has no charmcraft.yaml")
        names = ("metadata", "config", "actions", "manifest")
        files = {name: charm / f"{name}.yaml" for name in names}
        return {n: yaml.safe_load(f.read_text()) if f.exists() else {} for n, f in files.items()}
    whole = yaml.safe_load(source.read_text())
    config, actions = whole.pop("config", None) or {}, whole.pop("actions", None) or {}
    built_with = ("type", "base", "build-base", "platforms", "parts", "bases", "charm-libs")
    metadata = {key: value for key, value in whole.items() if key not in built_with}
    if title := metadata.pop("title", None):
        metadata["display-name"] = title
    base, _, channel = str(whole.get("base", "ubuntu@24.04")).partition("@")
    bases = [{"name": base, "channel": channel, "architectures": ["amd64"]}]
    return {
        "metadata": metadata,
        "config": config,
        "actions": actions,
        "manifest": {"bases": bases},
    }


def keep(source: pathlib.Path, *, at: pathlib.Path) -> Charm:
    """Copy the charm at *source* (a directory or a .charm file) to *at*, and read it.

    The copy is what units get, so that later edits at *source* wait for a refresh.
    """
    if at.exists():
        shutil.rmtree(at)
    if source.is_dir():
        shutil.copytree(
            source, at, symlinks=True, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*")
        )
    elif source.suffix == ".charm" and source.exists():
        _extract(source, at=at)
    else:
        raise RequestError(f"no charm at {source}: give a staged directory or a .charm file")
    return read(at)


def _extract(file: pathlib.Path, *, at: pathlib.Path) -> None:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            path = pathlib.Path(archive.extract(member, at))
            if mode := stat.S_IMODE(member.external_attr >> 16):
                path.chmod(mode)


def unpack(charm: pathlib.Path, *, at: pathlib.Path, python: pathlib.Path) -> None:
    """Lay out *charm* at *at* as a unit finds it; what the unit itself stored there stays.

    Args:
        python: Interpreter that starts charms which bring no ``dispatch`` of their own.
    """
    shutil.copytree(charm, at, symlinks=True, dirs_exist_ok=True)
    for name, content in split(charm).items():
        if content:
            (at / f"{name}.yaml").write_text(yaml.safe_dump(content))
    dispatch = at / "dispatch"
    if not dispatch.exists():
        dispatch.write_text(
            "#!/bin/sh\n"
            'JUJU_DISPATCH_PATH="${JUJU_DISPATCH_PATH:-$0}" PYTHONPATH=lib:src'
            f" exec {python} src/charm.py\n"
        )
    dispatch.chmod(0o755)
