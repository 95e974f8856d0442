# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options."""

from collections.abc import Mapping

import pydantic

from hacluster_shim.ring.options import RingOptions
from instance_ha import ladder
from instance_ha.errors import PolicyError
from instance_ha.ladder import Rung
from instance_ha_relations.options import with_dashes

_URL = r"^(https?://[^\s/]+(/\S*)?)?$"
_OLD = {"maas_url": "old_maas_url", "maas_credentials": "old_maas_key"}
"""Options of charm-hacluster's names -> field. Read as ops does, they would be one with those
that have a dash."""


class ShimConfig(RingOptions):
    """The options of ``charmcraft.yaml``."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    maas_url: str = pydantic.Field("", pattern=_URL)
    maas_credentials: str = ""
    """ID of a secret."""
    maas_ca: str = ""
    bmc_credentials: str = ""
    """ID of a secret."""
    rungs: str = ""
    segment_rungs: str = ""
    check_interval: int = pydantic.Field(10, ge=1, le=1440)
    """Minutes."""
    old_maas_url: str = pydantic.Field("", pattern=_URL)
    old_maas_key: pydantic.SecretStr = pydantic.SecretStr("")
    """In plain config, where charm-hacluster had it."""

    @pydantic.field_validator("rungs")
    @classmethod
    def _are_rungs(cls, value: str) -> str:
        if value:
            _read(value.split(","))
        return value

    @pydantic.field_validator("segment_rungs")
    @classmethod
    def _are_rungs_of_segments(cls, value: str) -> str:
        for pair in filter(None, value.split(",")):
            segment, _, rungs = pair.partition(":")
            if not segment.strip():
                raise ValueError("write SEGMENT:RUNG+RUNG")
            _read(rungs.split("+"))
        return value

    def ladder(self) -> list[str]:
        """Return the rungs, first to last; none where all are to be used."""
        return [rung.value for rung in ladder.read(self.rungs.split(","))] if self.rungs else []

    def names(self, rung: Rung) -> bool:
        """Say whether any ladder asks for *rung* by its name."""
        own = [name.strip() for rungs in self.ladders().values() for name in rungs.split("+")]
        return rung in self.ladder() or rung in own

    def ladders(self) -> dict[str, str]:
        """Return segment -> its own rungs, joined by ``+``."""
        pairs = (pair.partition(":") for pair in self.segment_rungs.split(",") if pair)
        return {segment.strip(): rungs.strip() for segment, _, rungs in pairs}


def load(options: Mapping[str, object]) -> ShimConfig:
    """Return the charm's options; raise :class:`pydantic.ValidationError` if one is wrong."""
    fields = {_OLD.get(name, name.replace("-", "_")): value for name, value in options.items()}
    return ShimConfig.model_validate(fields)


def option(field: str) -> str:
    """Return the option's name of a field."""
    return next((old for old, new in _OLD.items() if new == field), with_dashes(field))


def _read(names: list[str]) -> None:
    try:
        ladder.read(names)
    except PolicyError as error:
        raise ValueError(str(error)) from error
