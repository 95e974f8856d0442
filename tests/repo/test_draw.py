# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documents are what the texts beside them say."""

import json
import xml.etree.ElementTree as ET

import pytest

from tools import draw

SVG = "{http://www.w3.org/2000/svg}"


def words(drawn: str) -> list[str]:
    return [found.text for found in ET.fromstring(drawn).iter(f"{SVG}text")]


def test_pictures_are_up_to_date():
    assert draw.pictures()
    assert draw.stale() == [], "run tools/draw.py"


def test_a_flow_shows_who_tells_whom_what():
    drawn = draw.flow("Title\na | b\na > b: less < more\nb . waits\nb > a: done\n")
    assert words(drawn) == ["Title", "a", "b", "less < more", "waits", "done"]
    there, back = (
        each for each in ET.fromstring(drawn).iter(f"{SVG}line") if each.get("marker-end")
    )
    assert int(there.get("x1")) < int(there.get("x2"))
    assert int(back.get("x1")) > int(back.get("x2"))


def test_a_timeline_is_to_scale():
    drawn = draw.timeline("Title\n0 lost\n5 proven\n10 back\n")
    first, middle, last = (
        float(each.get("cx")) for each in ET.fromstring(drawn).iter(f"{SVG}circle")
    )
    assert middle - first == pytest.approx(last - middle)
    assert words(drawn) == ["Title", "0.0 s", "lost", "5.0 s", "proven", "10.0 s", "back"]


@pytest.fixture
def dashboard(tmp_path, monkeypatch):
    """A dashboard of four panels in the place of ours."""

    def panel(number, kind, title, **more):
        return {
            "type": kind,
            "title": title,
            "gridPos": {"x": 0, "y": 6 * number, "w": 12, "h": 6},
            **more,
        }

    seconds = {"defaults": {"unit": "s"}}
    panels = [
        panel(0, "row", "Now"),
        panel(1, "stat", "Hosts"),
        panel(2, "timeseries", "Age", fieldConfig=seconds),
        panel(3, "table", "Lost"),
    ]
    file = tmp_path / "dashboard.json"
    file.write_text(json.dumps({"panels": panels}))
    monkeypatch.setattr(draw, "DASHBOARD", file)


def test_a_board_shows_each_panel_in_its_place_with_its_values(dashboard):
    drawn = draw.board("Title\nHosts = 3\nAge = 95 %, a 0 5 10; b 10 10 10\nLost =\n")
    assert words(drawn) == [
        *("Title", "Now", "Hosts", "3", "Age"),
        *("95 %, a: 10 s", "b: 10 s", "Lost", "nothing"),
    ]
    rising, flat = (
        [float(point.split(",")[1]) for point in each.get("points").split()]
        for each in ET.fromstring(drawn).iter(f"{SVG}polyline")
    )
    assert rising == sorted(rising, reverse=True)
    assert rising[0] - rising[1] == pytest.approx(rising[1] - rising[2])
    assert set(flat) == {rising[-1]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("T\nHosts = 3\nAge = a 1\n", "differ in: Lost"),
        ("T\nHosts = 3\nAge = a 1\nLost =\nMore = 1\n", "differ in: More"),
        ("T\nHosts = 3\nAge = a soon\nLost =\n", "should be a name and numbers"),
    ],
    ids=["missing", "unknown", "no numbers"],
)
def test_a_board_that_is_not_the_dashboards_is_told(dashboard, text, told):
    with pytest.raises(draw.DrawError, match=told):
        draw.board(text)


@pytest.mark.parametrize(
    ("draw_it", "text", "told"),
    [
        (draw.flow, "T\na | b\na > c: x\n", "names no column; there are a, b"),
        (draw.timeline, "T\nsoon lost\n", "should begin with seconds"),
    ],
    ids=["flow", "timeline"],
)
def test_a_text_that_cannot_be_drawn_is_told(draw_it, text, told):
    with pytest.raises(draw.DrawError, match=told):
        draw_it(text)


@pytest.mark.parametrize("path", draw.pictures(), ids=lambda path: path.name)
def test_every_text_fits_into_its_picture(path):
    picture = ET.fromstring(path.read_text())
    width = float(picture.get("width"))
    for found in picture.iter(f"{SVG}text"):
        room = len(found.text) * draw.LETTER
        before = {"middle": room / 2, "end": room}.get(found.get("text-anchor"), 0)
        begin = float(found.get("x")) - before
        assert begin >= 0, found.text
        assert begin + room <= width, found.text


@pytest.mark.parametrize("path", draw.pictures(), ids=lambda path: path.name)
def test_every_picture_is_on_a_page(path):
    pages = draw.PICTURES.parent.rglob("*.md")
    assert any(f"pictures/{path.name}" in page.read_text() for page in pages)
