"""Overlays add and override by id, and every change is listed."""

import shutil

import pytest

from knowledge.building import built
from knowledge.library import HERE, build, load, user_overlay
from knowledge.reading import InvalidData
from tests.knowledge.test_library import base  # noqa: F401 - a fixture

CLAIM = """
- id: {id}
  subject: sn-gan
  object: gan
  aspects: quality
  direction: better
  says: {says}
  source: kurach2018
  locator: Table 9
  lineage: kurach2018
"""


@pytest.fixture
def overlay(tmp_path):
    def write(**files):
        folder = tmp_path / "mine"
        for name, text in files.items():
            path = folder / f"{name.replace('__', '/').replace('_', '-')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    return write


def ids(entries):
    return [(entry.kind, entry.id) for entry in entries]


def test_an_entry_is_added_and_listed(overlay):
    folder = overlay(claims__mine=CLAIM.format(id="mine-001", says="It won."))
    library = build(overlays=[folder])
    assert library.claims["mine-001"].says == "It won."
    assert ids(library.added) == [("claim", "mine-001")]
    assert library.overridden == ()
    assert library.added[0].file == str(folder / "claims/mine.yaml")


def test_an_entry_is_overridden_in_its_place_and_listed(overlay):
    library = build(overlays=[overlay(claims__x=CLAIM.format(id="table-6-005", says="No."))])
    assert library.claims["table-6-005"].says == "No."
    assert list(library.claims) == list(build().claims)
    assert ids(library.overridden) == [("claim", "table-6-005")]


def test_a_rule_is_overridden_in_its_place_and_a_new_one_ends_its_stage(overlay):
    rule = """
- {{id: {id}, stage: network, layer: hard, says: x, because: x,
   excludes: [{{architecture: residual}}], sources: [motwani2020]}}
"""
    first = "q1-convolutions-for-colour"
    library = build(overlays=[overlay(rules__x=rule.format(id=first) + rule.format(id="new"))])
    before = [rule.id for rule in build().rules]
    after = [rule.id for rule in library.rules]
    last = [rule.id for rule in build().rules if rule.stage == "network"][-1]
    at = before.index(last) + 1
    assert after == [*before[:at], "new", *before[at:]]
    assert next(rule for rule in library.rules if rule.id == first).says == "x"


def test_an_axis_of_an_overlay_adds_options_and_keeps_the_others(overlay):
    text = """
id: optimizer
name: Optimizer
tags: {plain: No memory.}
options:
  - {id: sgd, name: plain descent, tags: [plain]}
  - {id: adam, name: my Adam, tags: [momentum]}
"""
    library = build(overlays=[overlay(axes__optimizer=text)])
    assert [o.id for o in library.axes["optimizer"].options] == ["adam", "rmsprop", "sgd"]
    assert library.option("optimizer", "adam").name == "my Adam"
    assert set(library.axes["optimizer"].tags) == {"momentum", "plain"}
    assert ids(library.added) == [("option", "optimizer:sgd"), ("tag", "optimizer:plain")]
    assert ids(library.overridden) == [("option", "optimizer:adam")]


def test_words_numbers_and_settings_come_with_an_overlay_too(overlay):
    folder = overlay(
        vocabulary="aspects: {taste: How it tastes.}\n",
        variants="my-gan: a trial\n",
        questions="[{id: mood, asks: How?, why: So., answer: number, unit: smiles}]\n",
        results__mine="""
id: mine
title: Mine
shared: {dataset: cifar10, metric: fid, polarity: lower, protocol: p, source: lee2020,
         locator: l, verified: true, split: test}
results: [{id: mine-1, model: "variant:my-gan", value: 1.0}]
""",
    )
    library = build(overlays=[folder])
    assert library.vocabulary.aspects["taste"]
    assert library.results["mine"].results[0].split == "test"
    assert list(library.questions)[-1] == "mood"
    assert {entry.kind for entry in library.added} == {"aspect", "variant", "question", "results"}


def test_the_later_overlay_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "variants.yaml").write_text(f"ssgan: {name}\n")
    library = build(overlays=[tmp_path / "one", tmp_path / "two"])
    assert library.variants["ssgan"] == "two"
    assert len(library.overridden) == 2


def test_mistakes_of_an_overlay_are_told_with_its_file_and_line(overlay):
    text = CLAIM.format(id="mine-001", says="It won.").replace("kurach2018", "kurach2081")
    with pytest.raises(InvalidData) as caught:
        build(overlays=[overlay(claims__mine=text)])
    assert "mine/claims/mine.yaml:8: mine-001: no source 'kurach2081'" in str(caught.value)
    assert "did you mean 'kurach2018'" in str(caught.value)


def test_an_overlay_that_is_no_folder_is_told(tmp_path):
    with pytest.raises(InvalidData, match="is no folder of knowledge"):
        load(overlays=[tmp_path / "nosuch"])


def test_the_compiled_form_of_an_overlay_is_refused_when_it_changes(overlay, tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    folder = overlay(variants="ssgan: one\n")
    for _ in range(2):  # fresh, then compiled
        library = load(overlays=[folder])
        assert library.variants["ssgan"] == "one"
        assert ids(library.overridden) == [("variant", "ssgan")]
    overlay(variants="ssgan: another\n")
    assert load(overlays=[folder]).variants["ssgan"] == "another"
    assert load().overridden == ()


def test_the_archive_survives_the_compiled_form(base, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    fresh = load(base).archive
    compiled = load(base).archive
    assert compiled is not fresh
    assert compiled == fresh == built(base).library.archive
    for file in (tmp_path / "cache").glob("archive-*.json"):
        file.unlink()
    assert load(base).archive == fresh


def test_a_number_that_differs_from_what_its_table_shares_survives_the_compiled_form(
    base, tmp_path, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    path = base / "results/headline.yaml"
    path.write_text(path.read_text().replace("  conditional: false", "  own_method: true", 1)
                    .replace("    own_method: true\n", "    own_method: false\n", 1))  # fmt: skip
    for _ in range(2):
        assert load(base).results["headline"].results[0].own_method is False


def test_a_persons_own_overlay_is_found_where_configuration_lives(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_overlay() is None
    (tmp_path / "gan-advisor/knowledge").mkdir(parents=True)
    assert user_overlay() == tmp_path / "gan-advisor/knowledge"


def test_compiled_forms_do_not_pile_up(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    copy = tmp_path / "variants.yaml"
    shutil.copy(HERE / "variants.yaml", copy)
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        load(overlays=[folder])
    assert len(list((tmp_path / "cache").glob("library-*.json"))) == 8
