# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pydantic
import pytest
from instance_recovery import preflight, settings
from instance_recovery.errors import SettingsError
from instance_recovery.settings import Fencing, Settings


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(
            {"fencng": "maas"}, "fencng: there is no such option, did you mean fencing?", id="typo"
        ),
        pytest.param(
            {"zzz": 1}, "zzz: there is no such option, known are fencing, maas-url", id="unknown"
        ),
        pytest.param(
            {"fencing": "ipmi"}, "fencing: input should be 'maas', 'bmc' or 'none'", id="choice"
        ),
        pytest.param(
            {"ready-within": 5},
            "ready-within: input should be greater than or equal to 60",
            id="range",
        ),
        pytest.param(
            {"maas-url": "maas.example"}, "maas-url: string should match pattern", id="address"
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_is_explained(said, words):
    with pytest.raises(pydantic.ValidationError) as invalid:
        Settings.model_validate(said)
    sentence = str(settings.explain(invalid.value))
    assert words in sentence
    assert sentence.endswith("nothing was changed")


def test_a_manifest_may_say_nothing():
    assert Settings() == Settings.model_validate({})


@pytest.mark.parametrize(
    ("said", "is_maas", "fences"),
    [
        pytest.param({}, True, Fencing.MAAS, id="on MAAS it is MAAS"),
        pytest.param({}, False, None, id="a manual cloud has to say"),
        pytest.param({"maas-url": "http://m/MAAS"}, False, Fencing.MAAS, id="a MAAS of one's own"),
        pytest.param({"fencing": "none"}, True, Fencing.NONE, id="none is always a choice"),
    ],
)
def test_who_fences(said, is_maas, fences):
    assert preflight.fencing_of(Settings.model_validate(said), is_maas=is_maas) is fences


def test_a_key_is_read_from_its_file(tmp_path):
    (tmp_path / "key").write_text("a:b:c\n")
    assert settings.read_key(tmp_path / "key") == "a:b:c"


@pytest.mark.parametrize("content", ["a:b", "a::c", "a b:c:d", ""])
def test_what_is_no_key_is_refused_and_never_shown(tmp_path, content):
    (tmp_path / "key").write_text(content)
    with pytest.raises(SettingsError, match="CONSUMER:TOKEN:SECRET") as refused:
        settings.read_key(tmp_path / "key")
    assert not content or content not in str(refused.value).replace(str(tmp_path), "")


def test_a_file_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(SettingsError, match=r"No such file.*non-hidden files of your home"):
        settings.read_bmcs(tmp_path / "none")


def test_a_file_that_is_no_text_is_explained(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="it is no text"):
        settings.read_key(tmp_path / "key")


def test_an_authority_must_be_one(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SettingsError, match="holds no PEM certificate"):
        settings.read_ca(tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    assert settings.read_ca(tmp_path / "ca.pem").startswith("-----BEGIN")
