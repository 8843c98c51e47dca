"""BibTeX: keys that stay, fields that parse, text that LaTeX sets as it was."""

import re

import pytest

from advisor.kb.cite import authors, bibtex, cite, escape, sources_of, title
from advisor.kb.names import entries, find
from knowledge.schema import Source


@pytest.mark.parametrize(("text", "expected"), [
    ("R&D 100% #1 $5 a_b", r"R\&D 100\% \#1 \$5 a\_b"),
    ("{x}^~\\", r"\{x\}\textasciicircum{}\textasciitilde{}\textbackslash{}"),
    ("Søren Kaae Sønderby", r"S{\o}ren Kaae S{\o}nderby"),
    ("Philipp Krähenbühl", r'Philipp Kr{\"{a}}henb{\"{u}}hl'),
    ("Erik Linder-Norén", r"Erik Linder-Nor{\'{e}}n"),
    ("Šárka Łódź ç", r"{\v{S}}{\'{a}}rka {\L}{\'{o}}d{\'{z}} {\c{c}}")])  # fmt: skip
def test_text_is_escaped_for_latex(text, expected):
    assert escape(text) == expected


def test_capitals_that_styles_would_lose_are_kept():
    assert title("Wasserstein GAN") == "Wasserstein {GAN}"
    assert title("f-GAN: Training Samplers") == "{f-GAN:} Training Samplers"
    assert title("Are GANs Created Equal? A Study") == "Are {GANs} Created Equal? A Study"


def test_authors_are_joined_as_bibtex_wants():
    assert authors("Martin Arjovsky, Soumith Chintala") == "Martin Arjovsky and Soumith Chintala"
    assert authors("George Stein, et al.") == "George Stein and others"
    assert authors("OpenMMLab") == "{OpenMMLab}"


def test_a_conference_paper_has_its_place_year_and_preprint():
    source = Source(title="Wasserstein GAN", authors="A B", year=2017, kind="paper",
                    url="https://arxiv.org/abs/1701.07875", venue="ICML 2017")  # fmt: skip
    assert (
        bibtex("arjovsky2017", source)
        == """@inproceedings{arjovsky2017,
  author        = {A B},
  title         = {Wasserstein {GAN}},
  booktitle     = {ICML},
  year          = {2017},
  eprint        = {1701.07875},
  archiveprefix = {arXiv},
  url           = {https://arxiv.org/abs/1701.07875},
}"""
    )


def test_the_whole_bibliography_is_well_formed(library):
    found = cite([e for e in entries(library) if e.kind == "source"], library).sources
    assert list(found) == sorted(library.sources)
    for key, entry in found.items():
        assert entry.isascii(), key
        bare = re.sub(r"\\[{}]", "", entry)
        depth = 0
        for letter in bare:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            assert depth >= 0, key
        assert depth == 0, key
        fields = re.findall(r"^  (\w+) += \{.+\},$", entry, re.MULTILINE)
        assert {"author", "title", "year"} <= set(fields), key
        assert len(fields) == entry.count("\n") - 1, key


def test_any_id_leads_to_the_sources_behind_it(library):
    assert sources_of(find(library, "table-4-001"), library) == ["motwani2020", "mao2017"]
    assert sources_of(find(library, "wgan"), library)[0] == "arjovsky2017"
    assert "motwani2020" in sources_of(find(library, "k18"), library)
    assert "kurach2018" in sources_of(find(library, "kurach-best"), library)
    assert "miyato2018" in sources_of(find(library, "spectral-norm"), library)
    assert "motwani2020" in sources_of(find(library, "names-lsgan"), library)
    assert sources_of(find(library, "class:earlier-gans"), library) == ["wang2019"]
