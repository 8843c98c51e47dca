"""What MkDocs cannot do alone: pages that lie outside docs/, links to them, and graphs as lists."""

import html
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OUTSIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "knowledge/README.md")
DATASETS = "knowledge/datasets"  # a folder of YAML; on the site one page
LINK = re.compile(r"(?<!\\)(\]\()([^)\s#]+)((?:#[^)]*)?\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    fence = {"name": "mermaid", "class": "graph", "format": graph}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    named = set(leaves(config.nav))
    config.nav = spelt_out(config.nav, named)
    return config


def leaves(item: Any) -> Iterator[str]:  # noqa: ANN401 - whatever YAML has there
    """The paths in a menu."""
    if isinstance(item, str):
        yield item
    else:
        for each in item.values() if isinstance(item, dict) else item:
            yield from leaves(each)


def spelt_out(item: Any, named: set[str]) -> Any:  # noqa: ANN401
    """Of "folder/*" all pages that are named nowhere else, in the order of their names."""
    if isinstance(item, dict):
        return {heading: spelt_out(inner, named) for heading, inner in item.items()}
    if isinstance(item, list):
        spelt = (spelt_out(each, named) for each in item)
        return [one for each in spelt for one in (each if isinstance(each, list) else [each])]
    if not item.endswith("*"):
        return item
    pages = {page.relative_to(DOCS).as_posix(): page for page in sorted(DOCS.glob(f"{item}.md"))}
    return [{title(page): path} for path, page in pages.items() if path not in named]


def title(page: Path) -> str:
    """Its heading, without what a page of the catalogue adds in brackets."""
    heading = re.search(r"^# (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return re.sub(r" \(system [^)]*\)$", "", heading[1]) if heading else page.stem


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie elsewhere in the repository, at the path that they have there."""
    for path in OUTSIDE:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, f"{DATASETS}.md", content=datasets()))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:  # noqa: ANN401
    """Links as they are right on disk become links that are right on the site."""
    of = page.file.src_uri
    if page.parent is None:  # nothing stands beside it in the menu: the room is for the text
        page.meta.setdefault("hide", ["navigation"])
    markdown = re.sub(r"\A<!--.*?-->\s*", "", markdown)  # else the heading is not the title
    return LINK.sub(lambda found: found[1] + there(found[2], of) + found[3], markdown)


def there(link: str, page: str) -> str:
    """The same target, seen from the page's place on the site."""
    if "://" in link or link.startswith(("/", "mailto:")):
        return link
    own = page if page in OUTSIDE or page == f"{DATASETS}.md" else f"docs/{page}"
    on_disk = posixpath.normpath(posixpath.join(posixpath.dirname(own), link))
    target = on_disk.removeprefix("docs/")
    if target == DATASETS:
        return relative(f"{DATASETS}.md", page)
    if target.startswith(f"{DATASETS}/"):
        return relative(f"{DATASETS}.md", page) + f"#{Path(target).stem}"
    return relative(target, page)


def relative(target: str, page: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def datasets() -> str:
    """A page of all data sets, each as its file has it."""
    entries = "".join(
        f'\n## {path.stem} {{: id="{path.stem}" }}\n\n```yaml\n{path.read_text("utf-8")}```\n'
        for path in sorted((ROOT / DATASETS).glob("*.yaml"))
    )
    return f"# Data sets\n\nWhat `{DATASETS}/` says of each.\n{entries}"


# Graphs ----------------------------------------------------------------------------------------

NODE = re.compile(r'^\s*(\w+)\["(.*)"\]$')
EDGE = re.compile(r'^\s*(\w+) (-->|---)\|"(.*?)"\| (\w+)$')


def graph(source: str, *_: Any, **__: Any) -> str:  # noqa: ANN401
    """A Mermaid graph as a table: no script from elsewhere, and readable by everyone."""
    return f'<table class="graph"><tbody>{"".join(rows(source))}</tbody></table>'


def rows(source: str) -> Iterator[str]:
    """Raises ValueError where a line is neither a node nor an edge."""
    names: dict[str, str] = {}
    for line in source.strip().splitlines()[1:]:
        if node := NODE.match(line):
            names[node[1]] = html.escape(node[2], quote=False)
        elif edge := EDGE.match(line):
            sign = "→" if edge[2] == "-->" else "–"
            cells = (names[edge[1]], sign, names[edge[4]], html.escape(edge[3]))
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        else:
            raise ValueError(f"docs/hooks.py knows no such line of a graph: {line}")
