# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``instance-ha``: the one path of people, actions, lab and tests.

Exit codes: 0, done; 1, refused, failed or out of reach; 2, what was typed is wrong. Every failure
is one sentence on the standard error: the fact, the reason, the next step.
"""

from __future__ import annotations

import argparse
import http
import sys
import warnings
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from masakari_instance_ha.cli import (
    drilling,
    enrolment,
    findings,
    guarding,
    incidents,
    journal,
    matrices,
    moving,
    notifications,
    output,
    pauses,
    power,
    readiness,
    reserving,
    restarts,
    returning,
    simulating,
    upkeep,
    vmoves,
)
from masakari_instance_ha.cli.call import (
    Call,
    Commands,
    FoundWantingError,
    InputError,
    common_options,
)
from masakari_instance_ha.connection import CloudRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, WRONG_INPUT = 0, 1, 2

_ADVICE = {
    http.HTTPStatus.BAD_REQUEST: "Check the names: instance-ha host list",
    http.HTTPStatus.FORBIDDEN: "The user of [instance_ha_api] needs the role admin",
    http.HTTPStatus.CONFLICT: "Masakari changes nothing of a segment while a recovery runs in it: "
    "instance-ha notification list",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of the libraries, which nobody at a terminal can mend
    arguments = _parser().parse_args(argv)
    as_json = getattr(arguments, "format", "table") == "json"
    try:
        call = Call(arguments)
        answer = arguments.run(call)
    except FoundWantingError as error:
        sys.stdout.write(output.render(error.answer, as_json=as_json))
        return _fail(str(error))
    except InputError as error:
        return _fail(str(error), code=WRONG_INPUT)
    except CloudRefusedError as error:
        advice = _ADVICE.get(http.HTTPStatus(error.status), "See the service's log")
        return _fail(f"{error}. {advice}")
    except InstanceHaError as error:
        return _fail(str(error))
    sys.stdout.write(output.render(answer, as_json=as_json))
    _write_down(call)
    return DONE


def _write_down(call: Call) -> None:
    """Keep who changed something; what is done stays done where the store is out of reach."""
    if not call.arguments.changes or getattr(call.arguments, "dry_run", False):
        return
    try:
        journal.write_down(call, outcome="done")
    except InstanceHaError as error:
        _fail(f"done, but who did it is not written down: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="instance-ha", description=__doc__, parents=[common_options()]
    )
    top = Commands(parser)
    enrolment.describe_segment(top.noun("segment", "hosts that stand in for one another"))
    host = top.noun("host", "hypervisors that are watched over")
    enrolment.describe_host(host)
    returning.describe_return(host)
    reserving.describe_reserving(host)
    notifications.describe_notification(top.noun("notification", "what Masakari was told"))
    vmoves.describe_moves(top.noun("move", "where servers went"))
    incidents.describe_incident(top.noun("incident", "what happened to lost hosts"))
    guarding.describe_guard(top.noun("guard", "what holds a recovery back"))
    pauses.describe_pauses(top)
    matrices.describe_matrix(top.noun("matrix", "which losses of networks ask for what"))
    findings.describe_finding(top.noun("finding", "what leaves hosts without protection"))
    restarts.describe_restart(top.noun("restart", "single servers that died and were restarted"))
    journal.describe_journal(top.noun("journal", "who changed what with this command"))
    power.describe_fence(top.noun("fence", "the power controller"))
    moving.describe_moving(top)
    simulating.describe_simulating(top)
    readiness.describe_readiness(top)
    drilling.describe_drilling(top)
    upkeep.describe_upkeep(top)
    return parser


def _fail(sentence: str, *, code: int = FAILED) -> int:
    sys.stderr.write(f"instance-ha: {' '.join(sentence.split())}\n")
    return code
