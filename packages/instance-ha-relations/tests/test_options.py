# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pydantic
import pytest

from instance_ha_relations.options import describe


class Options(pydantic.BaseModel):
    check_interval: int = pydantic.Field(10, ge=1)
    secret_word: str = pydantic.Field("", pattern="^$")

    @pydantic.model_validator(mode="after")
    def _even(self):
        if self.check_interval % 2:
            raise ValueError("the interval is odd")
        return self


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"check_interval": 0}, "config: check-interval: should be greater than or equal to 1"),
        ({"check_interval": 3}, "config: the interval is odd"),
        ({"secret_word": "s3cr3t"}, "config: secret-word: String should match pattern '^$'"),
    ],
)
def test_the_first_fault_is_told_in_the_operators_spelling_without_its_value(options, said):
    with pytest.raises(pydantic.ValidationError) as caught:
        Options.model_validate(options)

    assert describe(caught.value) == said


def test_a_charm_may_spell_its_options_otherwise():
    with pytest.raises(pydantic.ValidationError) as caught:
        Options.model_validate({"check_interval": 0})

    assert describe(caught.value, spell=str.upper).startswith("config: CHECK_INTERVAL: ")
