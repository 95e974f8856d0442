# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Write ``constraints.txt``: one version of every package that the workspace uses.

A lock file of uv names the registry that its author happened to use; plain pins do not, and hold
on every mirror. The lab's OpenStack pins are taken over, so that unit tests meet the releases
that the lab runs.
"""

import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = """\
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# Every version that the tests, the lab and the staged charms use; written by `tox run -e pins`.
"""


def resolve(*, extra: list[str]) -> str:
    """Return one resolution of all members and groups, for Python 3.11 and later."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    members = sorted(ROOT.glob("packages/*/pyproject.toml")) + sorted(
        ROOT.glob("charms/*/pyproject.toml")
    )
    argv = ["uv", "pip", "compile", "--universal", "--python-version=3.11", "--quiet"]
    argv += ["--no-annotate", "--no-header", "--constraints=lab/build/openstack-requirements.txt"]
    argv += [str(member.relative_to(ROOT)) for member in members]
    argv += [word for group in groups for word in ("--group", group)]
    done = subprocess.run([*argv, *extra], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def main(argv: list[str]) -> int:
    """Resolve, drop the workspace's own members, write the file."""
    pins = [line for line in resolve(extra=argv).splitlines() if "==" in line]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(pins) + "\n")
    print(f"constraints.txt: {len(pins)} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
