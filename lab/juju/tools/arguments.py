# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of a hook tool, read strictly: what is not known is not played."""

import dataclasses
from collections.abc import Mapping, Sequence

from ..errors import NotPlayedError, ToolError

Word = str | tuple[str, str]
"""An argument; a pair is ``KEY#file=PATH`` whose file the tool has read already."""

SWITCH, VALUE = False, True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """What a hook tool was called with."""

    words: tuple[str, ...] = ()
    content: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The key-value pairs of a secret."""
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stdin: str = ""

    def get(self, option: str, default: str = "") -> str:
        """Return the value of an option."""
        return self.options.get(option, default)

    def has(self, option: str) -> bool:
        """Say whether a switch was given."""
        return self.options.get(option, "false").lower() == "true"

    def word(self, what: str) -> str:
        """Return the only word; raise ``ToolError`` naming *what* if it is missing."""
        if not self.words:
            raise ToolError(f"no {what} specified")
        return self.words[0]


def parse(
    tool: str, argv: Sequence[Word], *, options: Mapping[str, bool], stdin: str = ""
) -> Arguments:
    """Read *argv*.

    Args:
        options: Every option the lab plays, to whether it takes a value.

    Raises:
        NotPlayedError: for any other option.
    """
    words: list[str] = []
    content: dict[str, str] = {}
    found: dict[str, str] = {}
    rest = list(argv)
    only_words = False
    while rest:
        word = rest.pop(0)
        if not isinstance(word, str):
            content[word[0]] = word[1]
        elif only_words or not word.startswith("-") or word == "-":
            words.append(word)
        elif word == "--":
            only_words = True
        else:
            name, equals, value = word.partition("=")
            if name not in options:
                raise NotPlayedError(f"option {name} of {tool}")
            if equals:
                found[name] = value
            else:
                found[name] = _value(tool, name, rest) if options[name] is VALUE else "true"
    return Arguments(words=tuple(words), content=content, options=found, stdin=stdin)


def _value(tool: str, name: str, rest: list[Word]) -> str:
    if not rest or not isinstance(rest[0], str):
        raise ToolError(f"{tool}: option {name} needs a value")
    return str(rest.pop(0))
