# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Write ``constraints*.txt``: one version of every package that the workspace uses.

A lock file of uv names the registry that its author happened to use; plain pins do not, and hold
on every mirror. The lab's OpenStack pins are taken over, so that unit tests meet the releases
that the lab runs.
"""

import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPENSTACK = "lab/build/openstack-requirements.txt"
ALONE = {"juju"}
"""Dependency groups that cannot be had together with the others."""

HEADER = """\
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# One version of every package; written by `tox run -e pins`.
"""


def write_pins(name: str, *, sources: list[str], options: list[str]) -> None:
    """Resolve *sources* for Python 3.11 and later, and write what is not of the workspace."""
    argv = ["uv", "pip", "compile", "--universal", "--python-version=3.11", "--quiet"]
    argv += ["--no-annotate", "--no-header", *sources, *options]
    done = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    pins = [line for line in done.stdout.splitlines() if "==" in line]
    (ROOT / name).write_text(HEADER + "\n".join(pins) + "\n")
    print(f"{name}: {len(pins)} pins")


def main(options: list[str]) -> int:
    """Write one file for all that goes together, and one for each group that stays alone."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    members = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("*/*/pyproject.toml"))]
    together = [f"--group={group}" for group in groups if group not in ALONE]
    write_pins(
        "constraints.txt",
        sources=[*members, "--all-extras", *together, f"--constraints={OPENSTACK}"],
        options=options,
    )
    for group in sorted(ALONE):
        write_pins(f"constraints-{group}.txt", sources=[f"--group={group}"], options=options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
