# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What every unit needs before its first hook: a Python with the charms' libraries, hook tools."""

import hashlib
import os
import pathlib
import shutil

from lab import binaries
from lab.paths import BUILD, CACHE, fingerprint
from lab.process import exclusive, run

from .tools import TOOLS, UNPLAYED

_HOOK_TOOL = pathlib.Path(__file__).parent / "hooktool"
_PYTHON = "/usr/bin/python3"
"""The Python of pods and hosts, which see the machine's /usr."""


def ensure() -> None:
    """Build all of it; the first unit would do it otherwise."""
    charm_venv()
    hook_tool()


def charm_venv() -> pathlib.Path:
    """Return the environment that the charms run in, built on first use and seen by every unit."""
    requirements = BUILD / "charm-requirements.txt"
    venv = CACHE / f"charms-{fingerprint(requirements)}"
    with exclusive("charm-venv"):
        if not (venv / "complete").exists():
            uv = binaries.tool("uv", package="uv")
            only_ours = {"UV_PYTHON_DOWNLOADS": "never"}
            run([uv, "venv", "--quiet", "--clear", "--python", _PYTHON, venv], env=only_ours)
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
            into = ["--python", venv / "bin" / "python3", "--requirement", requirements]
            run([*install, *into], env=only_ours, within_s=600)
            (venv / "complete").touch()
    return venv


def charm_python() -> pathlib.Path:
    """Return the interpreter that starts a charm."""
    return charm_venv() / "bin" / "python3"


def hook_tool() -> pathlib.Path:
    """Return the executable behind every hook tool, compiled on first use."""
    source = b"".join((_HOOK_TOOL / name).read_bytes() for name in ("go.mod", "main.go"))
    binary = CACHE / "bin" / f"hooktool-{hashlib.sha256(source).hexdigest()[:12]}"
    with exclusive("hook-tool"):
        if not binary.exists():
            binary.parent.mkdir(parents=True, exist_ok=True)
            new = binary.with_suffix(".new")
            build = [binaries.toolchain(), "build", "-trimpath", "-ldflags=-s -w", "-o", new, "."]
            env = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
            run(build, cwd=_HOOK_TOOL, env=env, within_s=300)
            new.replace(binary)
    return binary


def lay_out_tools(directory: pathlib.Path) -> None:
    """Put every hook tool into *directory*, played or not."""
    directory.mkdir(parents=True, exist_ok=True)
    first = directory / "juju-log"
    shutil.copy(hook_tool(), first)
    for name in {*TOOLS, *UNPLAYED} - {first.name}:
        link = directory / name
        link.unlink(missing_ok=True)
        os.link(first, link)
