# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a command is given, and how commands are described."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg

from instance_ha.errors import InstanceHaError, PolicyError
from masakari_instance_ha import assembly, connection, options

if TYPE_CHECKING:
    from collections.abc import Callable

    import openstack.connection

    from masakari_instance_ha.cli.output import Answer
    from masakari_instance_ha.store import Store

    Command = Callable[["Call"], Answer]

DEFAULT_CONFIG = Path("/etc/masakari/instance-ha.conf")


class InputError(InstanceHaError):
    """What was typed names nothing that exists; the exit code is 2."""


class FoundWantingError(InstanceHaError):
    """What was asked for was found, and is not well; the answer goes out all the same."""

    def __init__(self, sentence: str, *, answer: Answer) -> None:
        super().__init__(sentence)
        self.answer = answer


class Call:
    """One call of the command; whatever it needs is opened when it is first used."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments

    @property
    def files(self) -> list[Path]:
        """The configuration files, the strongest last.

        Raises:
            InputError: if one does not exist.
        """
        named: list[Path] = getattr(self.arguments, "config_file", None) or [DEFAULT_CONFIG]
        for path in named:
            if not path.is_file():
                raise InputError(
                    f"there is no configuration file {path}; run this where the charm wrote it, "
                    "or give --config-file"
                )
        return named

    @functools.cached_property
    def conf(self) -> cfg.ConfigOpts:
        """The options.

        Raises:
            PolicyError: if a file cannot be read, or a value is of the wrong kind.
        """
        conf = cfg.ConfigOpts()
        options.register(conf)
        try:
            conf(args=[], default_config_files=list(map(str, self.files)), default_config_dirs=[])
        except (cfg.Error, OSError) as error:
            raise PolicyError(f"the options cannot be read: {error}; correct the file") from error
        return conf

    @property
    def author(self) -> str:
        """Who wants it."""
        named: str | None = getattr(self.arguments, "author", None)
        return named or f"operator@{self.conf.instance_ha.unit}"

    @functools.cached_property
    def cloud(self) -> openstack.connection.Connection:
        """Masakari and Nova."""
        return connection.connect(self.conf)

    @functools.cached_property
    def store(self) -> Store:
        """The store."""
        return assembly.journal(self.conf)


class Commands:
    """A noun of the command line, for example ``segment``, that takes verbs."""

    def __init__(self, parser: argparse.ArgumentParser, *, words: tuple[str, ...] = ()) -> None:
        self._verbs = parser.add_subparsers(metavar="COMMAND", required=True)
        self._words = words

    def noun(self, name: str, about: str) -> Commands:
        """Add a noun that takes verbs of its own."""
        made = self._verbs.add_parser(name, help=about, description=about)
        return Commands(made, words=(*self._words, name))

    def verb(self, name: str, run: Command, about: str) -> argparse.ArgumentParser:
        """Add a verb; the caller describes its arguments."""
        made = self._verbs.add_parser(
            name, help=about, description=about, parents=[common_options()]
        )
        made.set_defaults(run=run, changes="")
        return made

    def deed(self, name: str, run: Command, about: str) -> argparse.ArgumentParser:
        """Add a verb that changes something: who wants it is asked, and kept in the store."""
        made = self.verb(name, run, about)
        made.set_defaults(changes=" ".join((*self._words, name)))
        made.add_argument(
            "--author", "--by", metavar="NAME", help="who wants it; default: operator@UNIT"
        )
        return made


def common_options() -> argparse.ArgumentParser:
    """Return the options that stand before or behind the verb alike."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--config-file",
        action="append",
        type=Path,
        metavar="FILE",
        help=f"may be given more than once; default: {DEFAULT_CONFIG}",
    )
    common.add_argument(
        "--format", choices=("table", "json"), help="for people (the default) or for programs"
    )
    return common
