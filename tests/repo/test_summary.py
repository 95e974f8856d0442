# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from tools import summary

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure/></testcase>
<testcase name="c"><skipped/></testcase><testcase name="d"><error/></testcase>
</testsuite></testsuites>"""


def test_reports_are_added_up(tmp_path, capsys):
    (tmp_path / "one.xml").write_text(REPORT)
    (tmp_path / "two.xml").write_text(REPORT)

    code = summary.main(tmp_path)

    assert code == 0, "whether tests passed is for their runner to say"
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 4 failed, 2 skipped"


@pytest.mark.parametrize("report", ["", "<testsuites><testsuite/></testsuites>"])
def test_run_without_a_test_fails(tmp_path, report):
    if report:
        (tmp_path / "empty.xml").write_text(report)
    assert summary.main(tmp_path) == 1


def test_what_failed_is_shown_with_the_end_of_what_it_said(tmp_path, capsys):
    trace = "\n".join(f"line {n}" for n in range(200))
    (tmp_path / "lab.xml").write_text(
        f"""<testsuite><testcase classname="tests.lab.test_ring" name="test_it">
        <failure message="no">{trace}</failure><system-out>h1 is off</system-out></testcase>
        <testcase classname="tests.lab.test_ring" name="test_well"/></testsuite>"""
    )

    summary.main(tmp_path)

    out = capsys.readouterr().out
    assert "== tests.lab.test_ring::test_it\n" in out
    assert "line 199\nh1 is off\n" in out
    assert "line 100\n" not in out
    assert "test_well" not in out
