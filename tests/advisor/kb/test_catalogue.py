"""The generated pages: whole, linked, current, and the same each time."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from advisor.kb.catalogue import catalogue, compared, edge, main

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def made(library):
    return catalogue(library)


def test_there_is_a_page_for_each_system_and_table(made, library):
    assert set(made) == {
        "README.md", "claims.md", "coverage.md",
        *(f"systems/{gan}.md" for gan in library.gans),
        *(f"tables/table-{number}.md" for number in range(1, 8)),
    }  # fmt: skip


def test_links_lead_somewhere(made):
    for page, text in made.items():
        for link in re.findall(r"(?<!\\)\]\(([^)]+)\)", text):
            if "://" in link:
                continue
            target = (ROOT / "docs/catalogue" / PurePosixPath(page).parent / link).resolve()
            inside = target.relative_to((ROOT / "docs/catalogue").resolve()).as_posix() if (
                "docs/catalogue" in target.as_posix()) else ""  # fmt: skip
            assert inside in made or target.exists(), (page, link)


def test_rows_of_tables_have_as_many_cells_as_their_heads(made):
    for page, text in made.items():
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, (page, block[:80])


def test_the_graph_has_every_pair_that_claims_compare(made, library):
    pairs = {
        frozenset((c.subject, c.object))
        for c in library.claims.values()
        if c.subject in library.gans and c.object in library.gans
    }
    drawn = re.findall(r"^  g_(\w+) --[->]\|.*?\| g_(\w+)$", made["claims.md"], re.MULTILINE)
    assert {frozenset(name.replace("_", "-") for name in pair) for pair in drawn} == pairs
    assert len(drawn) == len(pairs)


def test_an_arrow_leads_from_the_favoured_system(library):
    pairs = compared(library)
    assert edge(("gan", "wgan"), pairs["gan", "wgan"]).startswith("g_wgan -->")


def test_check_finds_what_is_stale_missing_or_too_much(tmp_path, capsys):
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "systems/wgan.md").write_text("old")
    (tmp_path / "systems/nobody.md").write_text("new")
    (tmp_path / "coverage.md").unlink()
    assert main(["--check", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert all(name in said for name in ("systems/wgan.md", "systems/nobody.md", "coverage.md"))
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    assert not (tmp_path / "systems/nobody.md").exists()


def test_pages_do_not_depend_on_the_order_of_sets(made):
    program = (
        "import json; from advisor.kb.catalogue import catalogue; from knowledge.library import build;"
        "print(json.dumps(catalogue(build())))"
    )
    for seed in ("1", "2"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}, cwd=ROOT)  # fmt: skip
        import json

        assert json.loads(done.stdout) == made
