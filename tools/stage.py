# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Build charm trees that stand alone: ``stage.py [CHARM ...] [--output build/stage]``.

A staged tree is what ``charmcraft pack`` packs and what the lab deploys::

    charmcraft.yaml  LICENSE  src/
    lib/              our packages that the charm imports
    plugin/           a site directory for Masakari's containers, with entry points (where wanted)
    requirements.txt  every other package, one version each
    pyproject.toml    the same pins, for charmcraft's uv plugin
    manifest.json     SHA-256 of each file above

The same sources give the same files, byte for byte.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable

ROOT = pathlib.Path(__file__).resolve().parent.parent

PLUGINS = {"masakari-k8s": ("instance-ha", "masakari-instance-ha")}
"""Which of our distributions a charm carries into its workload's containers."""

VENDORED = ("oauthlib", "pyghmi", "requests-oauthlib")
"""Pure Python that the plugin needs and a stock Masakari image lacks."""

LOCAL_RECORDS = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""What an installer notes about this machine, and what would make trees differ."""


class StageError(Exception):
    """A tree could not be built; the message says which and what to do."""


def requirement_name(requirement: str) -> str:
    """Return the normalised name in a requirement such as ``Ops[testing] >= 3``."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;@]", requirement, maxsplit=1)[0]).lower()


def project(directory: pathlib.Path) -> dict[str, list[str]]:
    """Return the ``[project]`` table of a member of the workspace."""
    return tomllib.loads((directory / "pyproject.toml").read_text())["project"]


def local_packages(directory: pathlib.Path) -> list[pathlib.Path]:
    """Return the members of ``packages/`` that *directory* needs, directly or not, by name."""
    found: set[pathlib.Path] = set()
    waiting = [directory]
    while waiting:
        for requirement in project(waiting.pop()).get("dependencies", []):
            member = ROOT / "packages" / requirement_name(requirement)
            if member.is_dir() and member not in found:
                found.add(member)
                waiting.append(member)
    return sorted(found)


def uv(*argv: str | pathlib.Path, constrained: bool = True) -> str:
    """Run uv from the repository's root, by default with its pins; return what it printed.

    Raises:
        StageError: if there is no uv, or it failed.
    """
    beside = pathlib.Path(sys.executable).parent
    places = os.pathsep.join([str(beside), str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    program = shutil.which("uv", path=places)
    if program is None:
        raise StageError("there is no uv to collect packages with; run: make .venv")
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    argv_text = [program, *map(str, argv)]
    if constrained:
        argv_text += ["--constraints", "constraints.txt"]
    done = subprocess.run(
        argv_text, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StageError(f"`{' '.join(argv_text)}` failed: {done.stderr.strip()}")
    return done.stdout


def pins(charm: pathlib.Path) -> list[str]:
    """Return one version of each package from outside that the charm needs, with its marker."""
    listed = uv(
        *("pip", "compile", "--universal", "--python-version=3.11", "--quiet"),
        *("--no-annotate", "--no-header", charm / "pyproject.toml"),
    )
    return [line for line in listed.splitlines() if "==" in line]


def copy_python(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a tree of sources without what Python left in it."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


def build_plugin(distributions: Iterable[str], *, target: pathlib.Path) -> None:
    """Make *target* a site directory with our *distributions* and what they need at run time."""
    ours = [ROOT / "packages" / name for name in distributions]
    uv(
        *("pip", "install", "--quiet", "--no-deps", "--python", sys.executable),
        *("--target", target, "--reinstall", *ours, *VENDORED),
    )
    shutil.rmtree(target / "bin", ignore_errors=True)  # its scripts name this machine's Python
    (target / ".lock").unlink(missing_ok=True)
    for information in target.glob("*.dist-info"):
        forget_machine(information)


def forget_machine(information: pathlib.Path) -> None:
    """Remove from a ``dist-info`` what is true of this machine only, from its RECORD too."""
    for name in LOCAL_RECORDS:
        (information / name).unlink(missing_ok=True)
    record = information / "RECORD"
    kept = [
        line
        for line in record.read_text().splitlines()
        if (information.parent / line.split(",")[0]).exists()
    ]
    record.write_text("\n".join(sorted(kept)) + "\n")


def staged_pyproject(name: str, requirements: list[str]) -> str:
    """Return a project file with nothing but the pins."""
    lines = "".join(f"    {json.dumps(pin)},\n" for pin in requirements)
    return (
        f'[project]\nname = "{name}-staged"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f"dependencies = [\n{lines}]\n\n[tool.uv]\npackage = false\n"
    )


def manifest(tree: pathlib.Path) -> dict[str, str]:
    """Return the SHA-256 of every file below *tree*, by path."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    return {
        path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def stage(name: str, *, output: pathlib.Path) -> pathlib.Path:
    """Build the tree of charm *name* below *output*, in place of an older one, and return it.

    Raises:
        StageError: if there is no such charm, or its packages cannot be had.
    """
    charm = ROOT / "charms" / name
    if not (charm / "charmcraft.yaml").exists():
        known = ", ".join(charms())
        raise StageError(f"charms/{name} has no charmcraft.yaml; the charms are: {known}")
    work = output / f".{name}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    shutil.copy(charm / "charmcraft.yaml", work)
    shutil.copy(ROOT / "LICENSE", work)
    copy_python(charm / "src", work / "src")
    (work / "src" / "charm.py").chmod(0o755)
    for package in local_packages(charm):
        module = package.name.replace("-", "_")
        copy_python(package / "src" / module, work / "lib" / module)
    if name in PLUGINS:
        build_plugin(PLUGINS[name], target=work / "plugin")
    requirements = pins(charm)
    (work / "requirements.txt").write_text("\n".join(requirements) + "\n")
    (work / "pyproject.toml").write_text(staged_pyproject(name, requirements))
    (work / "manifest.json").write_text(json.dumps(manifest(work), indent=1) + "\n")
    return replace(output / name, work)


def replace(target: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """Put the finished tree where the old one was."""
    shutil.rmtree(target, ignore_errors=True)
    return work.rename(target)


def charms() -> list[str]:
    """Return the names of all charms."""
    return sorted(path.parent.name for path in ROOT.glob("charms/*/charmcraft.yaml"))


def main(argv: list[str]) -> int:
    """Stage the charms named, or all."""
    parser = argparse.ArgumentParser(description="Build charm trees that stand alone.")
    parser.add_argument("charm", nargs="*", help="default: all")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "stage")
    options = parser.parse_args(argv)
    for name in options.charm or charms():
        try:
            tree = stage(name, output=options.output)
        except StageError as error:
            print(f"{name} is not staged: {error}", file=sys.stderr)
            return 1
        print(f"{name}: {len(manifest(tree))} files in {tree}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
