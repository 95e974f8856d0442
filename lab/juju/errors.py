# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a charm, a person and the lab's Juju."""

from lab.errors import LabError


class JujuError(LabError):
    """Base of the errors of the lab's Juju; the text is what a real Juju would print."""


class RequestError(JujuError):
    """A person asked for something that the model does not allow."""


class ToolError(JujuError):
    """A hook tool refuses, as the real one would; the charm sees exit code 1."""


class FlushError(JujuError):
    """What a hook wrote cannot be kept, so the hook fails at its end."""


class NotPlayedError(JujuError):
    """Real Juju has this, the lab does not: a charm must never pass on a guess."""

    def __init__(self, what: str) -> None:
        super().__init__(f"not played: {what}; teach lab/juju, or test this on a real Juju")
        self.what = what
