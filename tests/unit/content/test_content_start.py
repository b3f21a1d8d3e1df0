"""The start page: what it says, and that it is a page for everybody."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from altnet.content import start
from altnet.content.start import Listed

SITES = [
    Listed("www.alt", "Home", "What <everybody> & all can read", (), ""),
    Listed("chat.alt", "chat.alt", "", ("members", "operators"), "answers with 502"),
]


class Page(HTMLParser):
    """Opens what is closed, counts what is there."""

    VOID = ("meta", "link", "br", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_it_is_whole_and_needs_nothing_from_elsewhere() -> None:
    page = Page(start.page("Altnet", SITES, "."))
    assert page.open == []
    assert page.all("script") == page.all("img") == page.all("link") == []
    assert [link["href"] for link in page.all("a")] == [
        "#content", "https://www.alt/", "https://chat.alt/", "/root.html",
    ]  # fmt: skip


def test_it_is_accessible() -> None:
    text = start.page("Altnet", SITES, ".")
    page = Page(text)
    assert page.all("html")[0]["lang"] == "en"
    assert "width=device-width" in str(page.all("meta")[1]["content"])
    headings = [tag for tag, _ in page.found if tag in {"h1", "h2", "h3"}]
    assert headings == ["h1", "h2", "h3", "h2", "h3"]
    labels = {section["aria-labelledby"] for section in page.all("section")}
    assert labels == {heading["id"] for heading in page.all("h2")}
    assert "prefers-color-scheme: dark" in text
    # State is said in words, not by colour alone.
    assert {"✓ answers", "✗ answers with 502"} <= set(page.words)


def test_what_is_declared_is_escaped() -> None:
    assert "What &lt;everybody&gt; &amp; all" in start.page("<b>", SITES, "<i>")
    assert "<b>" not in start.page("<b>", SITES, "<i>")


def test_before_anybody_has_asked() -> None:
    text = start.page("Altnet", [Listed("www.alt", "Home", "", ())], ".")
    assert "1 site<" in text
    assert "answers" not in text
    assert "There is no site yet" in start.page("Altnet", [], ".")
    assert "2 sites, 1 of 2 answer" in start.page("Altnet", SITES, ".")


def test_it_is_written_where_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    assert start.write(file, "a")
    assert not start.write(file, "a")
    assert start.write(file, "b")
    assert (file.read_text(), oct(file.stat().st_mode & 0o777)) == ("b", "0o644")


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        whole = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(whole[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_read() -> None:
    for theme in start.STYLE.split("@media")[:2]:
        colours = dict(re.findall(r"(--[a-z]+): (#[0-9a-f]+)", theme))
        for ink in ("--ink", "--soft", "--deed", "--good", "--bad"):
            for paper in ("--paper", "--card"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
