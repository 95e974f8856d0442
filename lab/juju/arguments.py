# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A command line, of a hook tool or ``juju``, read strictly: the unknown is not played."""

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .errors import NotPlayedError, ToolError

Word = str | tuple[str, str]
"""An argument; a pair is ``KEY#file=PATH`` whose file the tool has read already."""

SWITCH, VALUE = False, True
NO_ALIAS: Mapping[str, str] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a command was called with."""

    words: tuple[str, ...] = ()
    content: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The key-value pairs of a secret."""
    options: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Option to every value that it was given."""
    stdin: str = ""

    def get(self, option: str, default: str = "") -> str:
        """Return the last value of an option."""
        return self.options[option][-1] if option in self.options else default

    def all(self, option: str) -> Sequence[str]:
        """Return every value of an option that may be repeated."""
        return self.options.get(option, ())

    def has(self, option: str) -> bool:
        """Say whether a switch was given."""
        return self.get(option, "false").lower() == "true"

    def word(self, what: str) -> str:
        """Return the only word; raise ``ToolError`` naming *what* if it is missing."""
        if not self.words:
            raise ToolError(f"no {what} specified")
        return self.words[0]


def parse(
    command: str,
    argv: Sequence[Word],
    *,
    options: Mapping[str, bool],
    short: Mapping[str, str] = NO_ALIAS,
    stdin: str = "",
    verbatim_after: int | None = None,
) -> Arguments:
    """Read *argv*.

    Args:
        command: Whose command line it is.
        options: Every option the lab plays, to whether it takes a value.
        short: Short spelling to the option that it means.
        stdin: What the command read.
        verbatim_after: Number of words after which options are another command's.

    Raises:
        NotPlayedError: for any other option.
    """
    words: list[str] = []
    content: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    rest = list(argv)
    only_words = False
    while rest:
        word = rest.pop(0)
        if not isinstance(word, str):
            content[word[0]] = word[1]
        elif only_words or not word.startswith("-") or word == "-":
            words.append(word)
            only_words = only_words or len(words) == verbatim_after
        elif word == "--":
            only_words = True
        else:
            spelt, equals, value = word.partition("=")
            name = short.get(spelt, spelt)
            if name not in options:
                raise NotPlayedError(f"option {name} of {command}")
            if not equals:
                value = _value(command, name, rest) if options[name] is VALUE else "true"
            found.setdefault(name, []).append(value)
    return Arguments(words=tuple(words), content=content, options=found, stdin=stdin)


def _value(command: str, name: str, rest: list[Word]) -> str:
    if not rest or not isinstance(rest[0], str):
        raise ToolError(f"{command}: option {name} needs a value")
    return str(rest.pop(0))
