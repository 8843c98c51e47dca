"""The site: built strictly, complete, and in need of nothing but itself."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

config = pytest.importorskip("mkdocs.config")
build = pytest.importorskip("mkdocs.commands.build")

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Fetches(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if (
            tag in FETCHED
            and FETCHED[tag] in given
            and given.get("rel") not in ("canonical", "next", "prev")
        ):
            self.found.append(given[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    read = config.load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
    build.build(read)  # raises where there is a warning
    monkeypatch.undo()
    return folder


def html(site: Path):
    return {
        path.relative_to(site).as_posix(): path.read_text("utf-8") for path in site.rglob("*.html")
    }


def test_every_link_of_a_page_leads_somewhere_on_disk_too():
    """Who reads the pages on GitHub has no site."""
    link = re.compile(r"(?<!\\)\]\(([^)\s#]+)(?:#[^)]*)?\)")
    dead = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "knowledge/README.md"]
        for target in link.findall(without_code(page.read_text("utf-8")))
        if "://" not in target and not target.startswith("mailto:")
        if not (page.parent / target).exists()
    ]
    assert dead == []


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def test_no_page_fetches_anything_from_elsewhere(site):
    for name, text in html(site).items():
        parser = Fetches()
        parser.feed(text)
        assert not [each for each in parser.found if "//" in each], name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", sheet.read_text("utf-8")), sheet


def test_every_page_of_the_docs_is_there_and_in_the_menu(site):
    pages = html(site)
    menu = pages["index.html"]
    for path in ROOT.glob("docs/**/*.md"):
        name = path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        name = re.sub(r"README\.html$", "index.html", name)
        assert name in pages
        assert f'href="{name}"' in menu or f'href="{name.removesuffix("index.html")}"' in menu, name


def test_pages_bear_their_heading(site):
    pages = html(site)
    assert "<title>WGAN - GAN Advisor</title>" in pages["catalogue/systems/wgan.html"]
    assert "<h1 id=" in pages["catalogue/systems/wgan.html"]


def test_pages_from_elsewhere_in_the_repository_are_linked_and_shown(site):
    pages = html(site)
    assert 'href="../../knowledge/datasets.html#cifar10"' in pages["catalogue/systems/sn-gan.html"]
    assert 'id="cifar10"' in pages["knowledge/datasets.html"]
    assert (
        'href="../decisions/0008-a-system-is-an-architecture.html"' in pages["knowledge/index.html"]
    )
    assert 'href="knowledge/index.html"' in pages["CONTRIBUTING.html"]


def test_graphs_are_tables_with_a_row_for_every_edge(site):
    drawn = (ROOT / "docs/catalogue/claims.md").read_text("utf-8")
    edges = re.findall(r"^  g_\w+ (?:-->|---)\|", drawn, re.MULTILINE)
    page = html(site)["catalogue/claims.html"]
    rows = sum(
        table.count("<tr>")
        for table in re.findall(r'<table class="graph">.*?</table>', page, re.DOTALL)
    )
    assert rows == len(edges) > 50
    assert "mermaid" not in page
