# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How the commands of a page are read; tests/lab runs those of our pages."""

import pytest

from instance_ha.judge import describe
from instance_ha.model import Network, Reach
from lab.paths import REPOSITORY
from tools import pages

DOCS = REPOSITORY / "docs"

PAGE = """\
<!-- lab -->
# Title

<!-- lab: run setup -->

1. Do this:

   ```shell
   one &&
     two
   ```

   ```text
   +----+
   | is |
   ```

<!-- lab: until -->
```shell
three
```

```text
so
```

<!-- lab: elsewhere -->
```shell
ip link set dev eth0 down
```

```yaml
not: run
```
"""


def test_commands_are_read_in_order_with_what_they_print():
    assert pages.is_played(PAGE)
    setup, first, second, third = pages.steps(PAGE)

    assert setup.script == "setup"
    assert (first.script, first.expected, first.order) == ("one &&\n  two", ("| is |",), "")
    assert (second.script, second.expected, second.order) == ("three", ("so",), "until")
    assert (third.order, third.line) == ("elsewhere", 28)


def test_a_long_page_is_read_alike_and_told_apart():
    long = PAGE.replace(pages.MARK, pages.LONG, 1)
    assert pages.is_played(long)
    assert pages.is_long(long)
    assert not pages.is_long(PAGE)
    assert pages.steps(long) == pages.steps(PAGE)


def test_a_mark_that_means_nothing_is_an_error():
    with pytest.raises(pages.PageError, match="line 2: “until-then”"):
        pages.steps("<!-- lab -->\n<!-- lab: until-then -->\n")


@pytest.mark.parametrize(
    ("expected", "lacks"),
    [
        pytest.param(["| h1 | True |"], None, id="blanks"),
        pytest.param(["| h1 | ... |", "| h2 | ... |"], None, id="dots"),
        pytest.param(["| h2 | False |", "| h1 | True |"], "| h1 | True |", id="order"),
        pytest.param(["| h1 |"], "| h1 |", id="whole lines"),
        pytest.param(["| h.* | False |"], "| h.* | False |", id="plain text, no expression"),
    ],
)
def test_what_is_printed_is_compared_line_by_line(expected, lacks):
    printed = "+-----+\n| h1    |   True  |\n+----+\n| h2 | False |\n"

    assert pages.missing(expected, printed) == lacks


@pytest.mark.parametrize("management", [Reach.DOWN, Reach.UNKNOWN, Reach.UP])
@pytest.mark.parametrize("tenant", [Reach.DOWN, Reach.UNKNOWN, Reach.UP])
def test_networks_may_miss_a_lost_host_one_after_the_other(management, tenant):
    page = (DOCS / "how-to" / "recover-with-auto.md").read_text()
    expected = [line for step in pages.steps(page) for line in step.expected if "verdict" in line]
    reach = {
        Network.MANAGEMENT: management,
        Network.TENANT: tenant,
        Network.STORAGE: Reach.DOWN,
    }

    assert len(expected) == 1
    assert pages.missing(expected, f"6.0 s  verdict  h1: recovery  {describe(reach)}\n") is None


@pytest.mark.parametrize("page", pages.pages(DOCS), ids=lambda page: page.stem)
def test_a_page_takes_no_older_incident_of_a_host_for_the_one_it_waits_for(page):
    waits = [
        step
        for step in pages.steps(page.read_text())
        if step.order == "until" and "show-incident" in step.script
    ]

    assert all(step.expected[0].startswith('"state": ') for step in waits)
