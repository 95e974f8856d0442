# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Who fences, and with which key: what is said, what is known, what is asked."""

import pytest
from instance_recovery.choosing import Account, choose
from instance_recovery.errors import SettingsError
from instance_recovery.settings import Fencing, Settings

SUNBEAM = Account(url="http://maas", key="sun:be:am")


class Person:
    """Answers in this order; an answer too few is a question too many."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def _answer(self, question, options=None):
        return self.answers.pop(0)

    choose = agree = text = secret = _answer


def decide(settings=None, *, person=None, sunbeam=SUNBEAM, stored=None):
    said = settings or Settings()
    return choose(said, sunbeam=sunbeam, stored_key=stored, person=person)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("from:the:file\n")
    return path


def test_a_file_wins_over_all(key_file):
    made = decide(Settings(maas_key_file=key_file), stored="sto:r:ed", person=Person())
    assert made.account == Account(url="http://maas", key="from:the:file")
    assert made.secrets.maas_key == "from:the:file"


def test_what_was_stored_is_used_and_not_stored_again():
    made = decide(stored="sto:r:ed", person=Person())
    assert made.account.key == "sto:r:ed"
    assert made.secrets.maas_key is None


def test_sunbeams_key_is_used_if_nobody_is_asked():
    assert decide().secrets.maas_key == "sun:be:am"


def test_a_key_for_fencing_alone_can_be_given_instead():
    made = decide(person=Person(False, "fenc:ing:only "))
    assert made.account.key == made.secrets.maas_key == "fenc:ing:only"


def test_sunbeams_key_goes_to_sunbeams_maas_only():
    made = decide(Settings(maas_url="http://another"))
    assert made.account is None
    assert made.secrets.maas_key is None


def test_an_answer_that_is_no_key_is_a_sentence():
    with pytest.raises(SettingsError, match="the answer holds no MAAS key"):
        decide(person=Person(False, "hunter2"))


def test_a_manual_cloud_names_the_file_of_its_controllers(tmp_path):
    path = tmp_path / "bmcs.yaml"
    path.write_text("h1: {}\n")
    made = decide(sunbeam=None, person=Person("bmc", str(path)))
    assert made.settings.fencing is Fencing.BMC
    assert made.settings.bmcs_file == path
    assert made.secrets.bmcs == "h1: {}\n"


def test_controllers_may_stand_beside_maas(tmp_path):
    path = tmp_path / "bmcs.yaml"
    path.write_text("h1: {}\n")
    made = decide(Settings(bmcs_file=path))
    assert made.secrets.maas_key == "sun:be:am"
    assert made.secrets.bmcs == "h1: {}\n"


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    settings = Settings(fencing=Fencing.BMC, bmcs_file=tmp_path / "none")
    with pytest.raises(SettingsError, match="list of power controllers cannot be read"):
        decide(settings)


def test_no_key_is_in_what_a_log_would_show():
    assert "sun:be:am" not in repr(decide())
