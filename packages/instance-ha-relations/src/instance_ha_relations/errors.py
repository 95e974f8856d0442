# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a relation; each error has a sentence that fits a status."""


class RelationDataError(Exception):
    """What the other side wrote cannot be used.

    ``str()`` is the whole story for a log or an action; ``summary`` is short enough for a status.
    Neither holds a value of the databag, because a value may be a secret.
    """

    def __init__(self, fact: str, reason: str, next_step: str, *, summary: str) -> None:
        super().__init__(f"{fact}: {reason}. {next_step}")
        self.fact = fact
        self.reason = reason
        self.next_step = next_step
        self.summary = summary


class RelationIncompleteError(RelationDataError):
    """The other side has begun to write and is not done; waiting may be all that is needed."""


class SecretUnavailableError(RelationDataError):
    """A secret that a relation names cannot be read by this unit."""
