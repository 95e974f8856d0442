# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Put the feature where Sunbeam finds it, or take it out again.

With the snap, a folder of your home gets the feature and a command ``sunbeam`` that runs the
snap's with it; the snap itself is not touched. In a source tree (sunbeam-python, or an unpacked
snap) the built-in feature is put aside, and comes back with ``--remove``.
"""

from __future__ import annotations

import argparse
import pathlib
import shlex
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
FEATURE = "instance_recovery"
ASIDE = "_instance_recovery_of_sunbeam"
"""Sunbeam passes over folders with this first letter."""
DEFAULT = pathlib.Path("~/instance-recovery").expanduser()
OURS = "preflight.py"
"""A file that the built-in feature has not."""

COMMAND = """#!/bin/sh
# Sunbeam's command, inside its snap, with the feature of this folder before the built-in one.
exec snap run --shell openstack.sunbeam -c 'exec "$SNAP/bin/python3" "$0" "$@"' {launcher} "$@"
"""


class InstallError(Exception):
    """It cannot go there; nothing was changed."""


def into_tree(tree: pathlib.Path) -> str:
    """Replace the built-in feature of a source tree; return what to say."""
    features = _features(tree)
    place = features / FEATURE
    if place.exists() and not _is_ours(place):
        shutil.rmtree(features / ASIDE, ignore_errors=True)
        place.rename(features / ASIDE)
    _copy(place)
    return f"{place} is this feature now; the built-in one is beside it"


def out_of_tree(tree: pathlib.Path) -> str:
    """Bring the built-in feature of a source tree back; return what to say."""
    features = _features(tree)
    place, aside = features / FEATURE, features / ASIDE
    if _is_ours(place):
        shutil.rmtree(place)
    if aside.exists() and not place.exists():
        aside.rename(place)
    return f"{place} is Sunbeam's own feature"


def beside_snap(folder: pathlib.Path, *, home: pathlib.Path) -> str:
    """Make *folder* with the feature and a command; return what to say."""
    _require_visible(folder, home=home)
    if folder.exists() and not _is_ours(folder / FEATURE) and any(folder.iterdir()):
        raise InstallError(f"{folder} holds something else. Name an empty folder with --folder")
    folder.mkdir(parents=True, exist_ok=True)
    _copy(folder / FEATURE)
    launcher = folder / "launcher.py"
    shutil.copyfile(HERE / launcher.name, launcher)
    command = folder / "sunbeam"
    command.write_text(COMMAND.format(launcher=shlex.quote(str(launcher))), "utf-8")
    command.chmod(0o755)
    return f"Use it as: {command} enable instance-recovery"


def away_from_snap(folder: pathlib.Path) -> str:
    """Remove the folder; return what to say."""
    if not folder.exists():
        return f"{folder} is not there"
    if not _is_ours(folder / FEATURE):
        raise InstallError(f"{folder} was not made by this. Name the right one with --folder")
    shutil.rmtree(folder)
    return f"{folder} is gone; the snap's sunbeam has its own feature"


def _features(tree: pathlib.Path) -> pathlib.Path:
    features = tree / "sunbeam" / "features"
    if not features.is_dir():
        raise InstallError(
            f"{tree} is no sunbeam-python. Name the folder that has sunbeam/features in it, for "
            "example squashfs-root/lib/python3.12/site-packages"
        )
    return features


def _require_visible(folder: pathlib.Path, *, home: pathlib.Path) -> None:
    """The snap sees only what is not hidden in the home."""
    if not folder.is_relative_to(home) or any(
        part.startswith(".") for part in folder.relative_to(home).parts
    ):
        raise InstallError(
            f"{folder} cannot be read by the snap. Name a folder in {home} that is not hidden"
        )


def _is_ours(place: pathlib.Path) -> bool:
    return (place / OURS).exists()


def _copy(place: pathlib.Path) -> None:
    """Let *place* hold the feature, and nothing that an older one left."""
    fresh = place.with_name(f"_{place.name}_new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(HERE / FEATURE, fresh, ignore=shutil.ignore_patterns("__pycache__"))
    if place.exists():
        shutil.rmtree(place)
    fresh.rename(place)


def main(words: list[str] | None = None) -> None:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--remove", action="store_true", help="take it out again")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--tree", type=pathlib.Path, help="folder that has sunbeam/features in it")
    where.add_argument(
        "--folder", type=pathlib.Path, default=DEFAULT, help=f"for the snap; {DEFAULT} by default"
    )
    said = parser.parse_args(words)
    folder = said.folder.expanduser().absolute()
    try:
        if said.tree:
            told = (out_of_tree if said.remove else into_tree)(said.tree)
        elif said.remove:
            told = away_from_snap(folder)
        else:
            told = beside_snap(folder, home=pathlib.Path.home())
    except InstallError as error:
        sys.exit(f"{error}; nothing was changed")
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
