# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong; each message holds the fact, the reason and the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .preflight import Problem


class InstanceRecoveryError(Exception):
    """Base of all errors of this feature; caught where a command ends."""


class CloudError(InstanceRecoveryError):
    """Juju, Terraform or Sunbeam did not do what was asked."""

    def __init__(self, fact: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{fact}: {reason}. {hint}")
        self.fact = fact
        self.reason = reason
        self.hint = hint


class ActionFailedError(CloudError):
    """A charm refused an action, and said why; ``results`` is what it answered all the same."""

    def __init__(self, fact: str, reason: str, *, hint: str, results: Mapping[str, str]) -> None:
        super().__init__(fact, reason, hint=hint)
        self.results = results


class ApplicationMissingError(CloudError):
    """An application is not there, so nothing can be asked of it."""


class SettingsError(InstanceRecoveryError):
    """The manifest, an option or a file that they name cannot be used."""


class PreflightError(InstanceRecoveryError):
    """The cloud is not as it must be; nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        listed = "\n".join(f"  * {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{count} found before anything was changed:\n{listed}")
        self.problems = tuple(problems)


class StepError(InstanceRecoveryError):
    """A step did not end well; what came before it stays, and is not done twice."""

    def __init__(self, step: str, reason: str, *, next_command: str) -> None:
        super().__init__(f"stopped at step {step}: {reason}\nThen go on with: {next_command}")
        self.step = step


class RecoveryUnderWayError(InstanceRecoveryError):
    """Taking the feature away now would leave machines neither here nor there."""

    def __init__(self, hosts: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(hosts)}: still being recovered, so nothing was removed. Watch it with "
            "sunbeam instance-recovery status; to remove everything all the same, give --force"
        )
