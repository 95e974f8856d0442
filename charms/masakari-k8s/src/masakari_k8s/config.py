# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options, validated."""

import re
from typing import Annotated, Literal, Self

import pydantic

from instance_ha.debounce import Patience
from instance_ha.errors import PolicyError
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import AFTER_WINDOW_S, Policy
from instance_ha.selection import Pattern, by_segment
from instance_ha_relations.wire import Line

_OPTIONS = {
    "flap_changes": "flap-changes",
    "domain_hosts_per_minute": "domain-hosts-per-minute",
    "max_hosts_per_minute": "max-hosts-per-minute",
    "approval": "approval",
    "approval_segments": "approval-segments",
    "kdump_wait_s": "kdump-wait",
    "kdump_timeout_s": "kdump-timeout",
}
"""Figure of the policy that may contradict another one -> the option that it comes from."""


def _require_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be a single line")
    return text.strip()


OneLine = Annotated[str, pydantic.AfterValidator(_require_one_line)]
"""Text for a configuration file, where a line break would begin another option; may be empty."""


class MasakariConfig(pydantic.BaseModel):
    """The options of ``charmcraft.yaml``; times are seconds."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    debug: bool
    region: Line = pydantic.Field(max_length=255)
    spare_interval: int = pydantic.Field(ge=0, le=86400)
    tls_insecure: bool
    evacuation_delay: int = pydantic.Field(ge=0, le=3600)
    evacuate_all_instances: bool
    enable_secret_access: bool
    monitoring_interval: int = pydantic.Field(ge=1, le=60)
    monitoring_samples: int = pydantic.Field(ge=1, le=60)
    hold: int = pydantic.Field(ge=1, le=600)
    partial_hold: int = pydantic.Field(ge=0, le=600)
    flap_changes: int = pydantic.Field(ge=0, le=100)
    flap_window: int = pydantic.Field(ge=1, le=86400)
    flap_hold: int = pydantic.Field(ge=0, le=3600)
    max_failing_share: int = pydantic.Field(ge=1, le=100)
    """Percent of a segment's hypervisors."""
    max_failing_domain_share: int = pydantic.Field(ge=1, le=100)
    """Percent of an aggregate's or a zone's hypervisors."""
    domain_hosts_per_minute: int = pydantic.Field(ge=0, le=1000)
    max_hosts_per_minute: int = pydantic.Field(ge=1, le=1000)
    storm_cooldown: int = pydantic.Field(ge=0, le=86400)
    approval: bool
    approval_segments: OneLine
    approval_patience: int = pydantic.Field(ge=1, le=3600)
    kdump: bool
    kdump_wait: int = pydantic.Field(ge=0, le=300)
    kdump_timeout: int = pydantic.Field(ge=1, le=7200)
    return_after: int = pydantic.Field(ge=1, le=86400)
    returns: Literal["automatic", "manual"] = pydantic.Field(alias="return")
    refill_reserve: bool
    move_back: bool
    power_on: bool
    enrol_rule: Literal["", "off", "segment", "zone", "aggregate"]
    enrol_segment: Line = pydantic.Field(max_length=255)
    enrol_recovery_method: Literal["auto", "auto_priority", "reserved_host", "rh_priority"]
    enrol_wait: int = pydantic.Field(ge=0, le=86400)
    enrol_gone_after: int = pydantic.Field(ge=60, le=86400)
    migrate_after: int = pydantic.Field(ge=1, le=3600)
    migrate_at_once: int = pydantic.Field(ge=1, le=50)
    migrate_per_minute: int = pydantic.Field(ge=1, le=600)
    duplicate_window: int = pydantic.Field(ge=1, le=3600)
    evacuations_at_once: int = pydantic.Field(ge=1, le=100)
    evacuation_tries: int = pydantic.Field(ge=1, le=20)
    evacuation_deadline: int = pydantic.Field(ge=10, le=86400)
    stagger: float = pydantic.Field(ge=0, le=60)
    restarts_most: int = pydantic.Field(ge=0, le=100)
    restarts_window: int = pydantic.Field(ge=1, le=604800)
    restarts_then: Literal["move", "stop", "restart"]
    protected_servers: Literal["", "all", "metadata", "tag"]
    segment_servers: OneLine
    ignored_servers: str
    instance_disks: Literal["ask", "shared", "local"]
    fencing_mode: Literal["maas", "none"]

    @pydantic.field_validator("segment_servers")
    @classmethod
    def _segments_have_known_words(cls, said: str) -> str:
        pairs = dict(_pair(part) for part in said.split(",") if part.strip())
        try:
            by_segment(pairs)
        except PolicyError as error:
            raise ValueError(str(error)) from error
        return said.strip()

    @pydantic.field_validator("ignored_servers")
    @classmethod
    def _every_word_is_a_pattern(cls, said: str) -> str:
        try:
            for word in said.split():
                Pattern.read(word)
        except PolicyError as error:
            raise ValueError(str(error)) from error
        return said

    @pydantic.model_validator(mode="after")
    def _nothing_contradicts(self) -> Self:
        """Ask the rules themselves, so that charm and controller cannot disagree."""
        if self.power_on and self.fencing_mode == "none":
            raise ValueError("power-on, fencing-mode clash: nothing can power on; change one")
        try:
            self.policy(tuple(Network))  # the declared ones are the relations' to say
        except PolicyError as error:
            raise ValueError(_in_options(str(error))) from error
        return self

    def policy(self, networks: tuple[Network, ...]) -> Policy:
        """Return what the controller of these *networks* goes by, as it reads it from its file."""
        return Policy(
            networks=networks,
            matrix=default_matrix(networks),
            patience=Patience(
                hold_s=self.hold_s,
                samples=self.monitoring_samples,
                partial_hold_s=self.partial_hold,
                flap_changes=self.flap_changes,
                flap_window_s=self.flap_window,
                flap_hold_s=self.flap_hold,
            ),
            tick_s=self.monitoring_interval,
            max_failing_share=self.max_failing_share / 100,
            max_failing_domain_share=self.max_failing_domain_share / 100,
            domain_hosts_per_minute=self.domain_hosts_per_minute,
            max_hosts_per_minute=self.max_hosts_per_minute,
            storm_cooldown_s=self.storm_cooldown,
            approval=self.approval,
            approval_segments=frozenset(
                name.strip() for name in self.approval_segments.split(",") if name.strip()
            ),
            approval_patience_s=self.approval_patience,
            kdump=self.kdump,
            kdump_wait_s=self.kdump_wait,
            kdump_timeout_s=self.kdump_timeout,
            return_after_s=self.return_after,
            returns_by_itself=self.returns == "automatic",
            refills_reserve=self.refill_reserve,
            renotify_after_s=self.duplicate_window + AFTER_WINDOW_S,
            lease_ttl_s=self.lease_ttl_s,
        )

    @property
    def hold_s(self) -> int:
        """How long evidence must hold: the samples' time, and never less than ``hold``."""
        return max(self.hold, (self.monitoring_samples - 1) * self.monitoring_interval)

    @property
    def lease_ttl_s(self) -> int:
        """How long a silent controller keeps its lease; several looks fit into it."""
        return max(7, 3 * self.monitoring_interval)


def _pair(said: str) -> tuple[str, str]:
    segment, _, word = said.rpartition(":")
    return segment.strip(), word.strip()


def _in_options(sentence: str) -> str:
    """Return what a policy says of itself in the charm's words, the options' names first."""
    names = dict.fromkeys(re.findall(r"[a-z_]+", sentence))
    clashing = ", ".join(_OPTIONS[name] for name in names if name in _OPTIONS)
    told = re.sub(r"[a-z_]+", lambda found: _OPTIONS.get(found[0], found[0]), sentence)
    return f"{clashing} clash: {told}" if "," in clashing else told
