# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator may say: ``features.instance-recovery.config`` of a manifest, and options.

Nothing here is a secret: Sunbeam keeps manifests in clear in its own database. Keys are read from
files that are named here, or asked.
"""

from __future__ import annotations

import difflib
import enum
import json
import pathlib

import pydantic

from .errors import SettingsError


class Fencing(enum.StrEnum):
    """Who proves a hypervisor off."""

    MAAS = "maas"
    BMC = "bmc"
    NONE = "none"


UNFENCED = (
    "Without fencing, a hypervisor that only looks dead goes on writing to the volumes of the "
    "machines that were started elsewhere, and corrupts them."
)


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Settings(pydantic.BaseModel):
    """All has a default, so that a manifest may say nothing."""

    model_config = pydantic.ConfigDict(
        extra="forbid", alias_generator=_kebab, populate_by_name=True
    )

    fencing: Fencing | None = pydantic.Field(
        None, description="maas, bmc or none; on MAAS it is maas, a manual cloud has to choose"
    )
    maas_url: str | None = pydantic.Field(
        None, pattern=r"^https?://\S+$", description="Address of MAAS; the deployment's by default"
    )
    maas_key_file: pathlib.Path | None = pydantic.Field(
        None, description="File with CONSUMER:TOKEN:SECRET of an account for fencing alone"
    )
    maas_ca_file: pathlib.Path | None = pydantic.Field(
        None, description="PEM file of the authority that signed MAAS' certificate"
    )
    maas_rbac: bool = pydantic.Field(
        default=False,
        description="True: the account is no administrator, but RBAC lets it switch power",
    )
    bmcs_file: pathlib.Path | None = pydantic.Field(
        None, description="YAML file with each hypervisor's own power controllers"
    )
    charm_dir: pathlib.Path | None = pydantic.Field(
        None, description="Folder with the three charms as files, to use instead of the store's"
    )
    local_storage: bool = pydantic.Field(
        default=False,
        description="True: go on though no storage is shared; what is on a local disk stays there",
    )
    ready_within: int = pydantic.Field(
        1800, ge=60, le=86400, description="Seconds in which all must be ready at the end"
    )


def explain(error: pydantic.ValidationError) -> SettingsError:
    """Return the same in sentences, with what was probably meant."""
    return SettingsError(
        "the manifest's features.instance-recovery.config cannot be used: "
        + "; ".join(_sentence(found) for found in error.errors())
        + ". Mend it and run the same command again; nothing was changed"
    )


def names() -> list[str]:
    """Return the options, spelt as in a manifest."""
    return [_kebab(name) for name in Settings.model_fields]


def preseed() -> list[str]:
    """Return the options as commented lines of a manifest, below ``config:``."""
    lines: list[str] = []
    for name, option in Settings.model_fields.items():
        default = "" if option.default is None else f" {json.dumps(option.default)}"
        lines += [f"  #   # {option.description}", f"  #   {_kebab(name)}:{default}"]
    return lines


def _sentence(found: object) -> str:
    if not isinstance(found, dict):
        return str(found)
    where = ".".join(str(part) for part in found["loc"]) or "it"
    if found["type"] != "extra_forbidden":
        return f"{where}: {found['msg'][:1].lower()}{found['msg'][1:]}"
    meant = difflib.get_close_matches(where, names(), n=1)
    hint = f"did you mean {meant[0]}?" if meant else f"known are {', '.join(names())}"
    return f"{where}: there is no such option, {hint}"


def read_key(path: pathlib.Path) -> str:
    """Return the MAAS key in a file.

    Raises:
        SettingsError: if the file cannot be read or holds none; the content is never told.
    """
    key = _text(path, what="MAAS key").strip()
    require_key(key, where=str(path))
    return key


def require_key(key: str, *, where: str) -> None:
    """Raise SettingsError unless *key* has the form of a MAAS key."""
    parts = key.split(":")
    if len(parts) != 3 or not all(parts) or any(" " in part for part in parts):
        raise SettingsError(
            f"{where} holds no MAAS key: it has the form CONSUMER:TOKEN:SECRET. "
            "Print one with: maas apikey --username=NAME"
        )


def read_bmcs(path: pathlib.Path) -> str:
    """Return the text of the file with the power controllers; hacluster-shim judges each."""
    return _text(path, what="list of power controllers")


def read_ca(path: pathlib.Path) -> str:
    """Return the authority's PEM text."""
    text = _text(path, what="MAAS' authority")
    if "BEGIN CERTIFICATE" not in text:
        raise SettingsError(f"{path} holds no PEM certificate; give that of MAAS' authority")
    return text


def _text(path: pathlib.Path, *, what: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(
            f"the {what} cannot be read from {path}: {reason}. "
            "Inside the snap only non-hidden files of your home are visible"
        ) from error
