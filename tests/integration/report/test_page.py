"""The page in a real browser: no error, no empty plot, in both colour schemes, from disk and on paper."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from ansible_collections.cloudadc.aws.plugins.module_utils.report.page import _DARK, _LIGHT

from .browser import Browser

SCHEMES = {"light": _LIGHT, "dark": _DARK}
Colour = tuple[int, int, int]


@pytest.fixture(params=["group_page", "replay_page"])
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def rgb(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def colours(png: bytes) -> Counter[Colour]:
    with Image.open(io.BytesIO(png)) as image:
        return Counter(image.convert("RGB").get_flattened_data())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_complaint_and_nothing_from_anywhere_else(browser: Browser, page: Path, scheme: str) -> None:
    browser.open(page, scheme=scheme)
    assert browser.complaints() == []
    assert browser.evaluate("[...document.scripts].filter(s => !s.type).length") == 1, "the one that reads values"
    assert browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")


def test_a_complaint_would_be_seen(browser: Browser, group_page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    more = "<script>throw 1</script><img src='http://127.0.0.1:9/x.png'>"
    broken.write_text(group_page.read_text().replace("</body>", f"{more}</body>"))
    browser.open(broken)
    assert browser.complaints()
    assert any("Content Security Policy" in each for each in browser.complaints()), "it was not run"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_plot_has_something_in_it(browser: Browser, page: Path, scheme: str) -> None:
    """By the pixels: in each drawing the line, both limits and the phases in the scheme's own colours."""
    browser.open(page, scheme=scheme)
    desired = SCHEMES[scheme]
    for section in browser.evaluate("[...document.querySelectorAll('section')].map(s => s.id)"):
        observed = colours(browser.screenshot(f"#{section} svg"))
        ground = rgb(desired["paper"])
        assert observed.most_common(1)[0][0] == ground, "the ground is the paper's"
        for name in ("line", "max", "min", "nodes", "cooldown", "scale_out"):
            if name == "scale_out" and section == "p2":
                continue  # the second zone of the group has a failed event only
            assert observed[rgb(desired[name])] > 20, (section, name)
        assert len(observed) > 40


def test_every_line_has_an_extent(browser: Browser, page: Path) -> None:
    """By the geometry: each line is as wide as its samples, and reaches over more than a point."""
    browser.open(page)
    lines = browser.evaluate(
        "[...document.querySelectorAll('[id*=\"-line-\"]')].map(l => { const b = l.getBBox();"
        " return [l.id, b.width, b.height]; })"
    )
    names = {name for name, _width, _height in lines}
    assert {"p1-line-memory", "p1-line-nodes", "p2-line-memory", "p2-line-nodes"} <= names
    assert not browser.evaluate("document.querySelectorAll('[id*=\"-empty-\"]').length")
    for name, width, height in lines:
        assert width > 10, name
        assert height > 10 or name in ("p2-line-memory", "p2-line-nodes"), name


def test_a_page_without_a_plot_would_be_seen(browser: Browser, group_page: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.html"
    bare.write_text(group_page.read_text().replace("var(--line)", "none").replace("var(--cooldown)", "none"))
    browser.open(bare)
    observed = colours(browser.screenshot("#p1 svg"))
    assert observed[rgb(_LIGHT["line"])] == 0
    assert observed[rgb(_LIGHT["cooldown"])] == 0


def test_events_carry_their_reasons(browser: Browser, group_page: Path) -> None:
    browser.open(group_page)
    tips = browser.evaluate("[...document.querySelectorAll('#p1 svg title')].map(t => t.textContent)")
    assert [tip.split(":")[0] for tip in tips] == ["1", "2"]
    assert "memory 91.2 % > 85 % for 3 of 3 samples; 3 → 4 nodes, max 6" in tips[0]
    assert "memory 31.5 % < 40 % for 3 of 3 samples; 4 → 3 nodes, min 2" in tips[1]
    rows = browser.evaluate("[...document.querySelectorAll('#p1 tbody tr')].map(r => r.innerText)")
    assert len(rows) == 2
    assert "3 → 4" in rows[0]


def test_what_a_record_says_is_text_and_nothing_else(browser: Browser, group_page: Path) -> None:
    browser.open(group_page)
    nasty = "<script>console.error('x')</script>"
    assert nasty in browser.evaluate("document.title")
    assert nasty in browser.evaluate("document.querySelector('h1').textContent")
    assert nasty in browser.evaluate("document.querySelector('#p2 tbody').textContent")
    assert nasty in browser.evaluate("document.querySelector('#p2 svg title').textContent")
    assert browser.complaints() == []


def test_ids_are_unique_and_what_they_name_is_there(browser: Browser, page: Path) -> None:
    browser.open(page)
    ids = browser.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    broken = browser.evaluate(
        "[...document.querySelectorAll('use, [clip-path]')].map(e => e.getAttribute('xlink:href')"
        " || e.getAttribute('clip-path').slice(4, -1)).filter(r => !document.querySelector(r)).length"
    )
    assert broken == 0


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", ["group_page", "replay_page", "pair_page"])
def test_nothing_sticks_out(browser: Browser, request: pytest.FixtureRequest, name: str, width: int) -> None:
    browser.open(request.getfixturevalue(name), width=width)
    assert browser.complaints() == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_of_a_pair_opens_in_both_schemes(browser: Browser, pair_page: Path, scheme: str) -> None:
    browser.open(pair_page, scheme=scheme)
    assert browser.complaints() == []
    ground = rgb(SCHEMES[scheme]["paper"])
    assert colours(browser.screenshot("#s1")).most_common(1)[0][0] == ground
    text = browser.evaluate("document.querySelector('#s1').innerText")
    assert "Elastic IP 203.0.113.5 is not on the primary" in text
    assert "repaired" in text


@pytest.mark.parametrize("width", [390, 1200])
def test_values_are_read_at_a_point_and_zoom_keeps_it(browser: Browser, group_page: Path, width: int) -> None:
    """Without a network: at a third of the axis of time, by the mouse, a tap, the keyboard, and zoomed in."""
    browser.open(group_page, width=width)
    at = "const s = document.querySelector('#p1'), f = s.querySelector('.plot'), g = f.querySelector('svg');"
    move = f"(() => {{ {at} const b = g.getBoundingClientRect(); f.dispatchEvent(new PointerEvent('%s', "
    move += "{clientX: b.left + b.width * %s, bubbles: true})); return s.querySelector('output').textContent; })()"
    early, late = browser.evaluate(move % ("pointermove", 0.2)), browser.evaluate(move % ("pointerdown", 0.6))
    for shown in (early, late):
        assert re.fullmatch(r"2026-03-01T\d\d:\d\d:\d\dZ: memory \d+(\.\d+)?%?.*", shown), shown
    assert early < late, "later to the right"
    key = "f.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}));"
    after = browser.evaluate(f"(() => {{ {at} {key} return s.querySelector('output').textContent; }})()")
    assert after > late
    before = browser.evaluate(f"(() => {{ {at} return g.getBoundingClientRect().width; }})()")
    browser.evaluate(f"(() => {{ {at} s.querySelector('button[value=\"+\"]').click(); }})()")
    browser.evaluate(f"(() => {{ {at} s.querySelector('button[value=\"+\"]').click(); }})()")
    assert browser.evaluate(f"(() => {{ {at} return g.getBoundingClientRect().width; }})()") > 1.5 * before
    assert browser.evaluate(move % ("pointermove", 0.6)) == late, "the same point of the axis"
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate(f"(() => {{ {at} s.querySelector('button[value=\"0\"]').click(); }})()")
    assert browser.evaluate(f"(() => {{ {at} return g.getBoundingClientRect().width; }})()") == before


def test_on_paper_it_is_dark_on_light_whatever_the_screen(browser: Browser, group_page: Path) -> None:
    browser.open(group_page, scheme="dark", medium="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    observed = colours(browser.screenshot("#p1 svg"))
    assert observed[rgb(_LIGHT["line"])] > 20
    assert observed[rgb(_LIGHT["cooldown"])] > 1000
    assert browser.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_stand_out_from_their_ground(scheme: str) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for lines, on paper and on every shading."""
    desired = SCHEMES[scheme]
    grounds = [desired[name] for name in ("paper", "scaling_out", "cooldown", "draining", "ttl", "deprovisioning")]
    for name in ("ink", "muted", "max", "min", "scale_out", "scale_in", "failed", "nodes"):
        assert contrast(desired[name], desired["paper"]) >= 4.5, name
    for name in ("line", "max", "min", "nodes", "scale_out", "scale_in", "failed"):
        for ground in grounds:
            assert contrast(desired[name], ground) >= 3, (name, ground)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in rgb(colour)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
