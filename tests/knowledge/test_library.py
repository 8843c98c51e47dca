import shutil

import pytest

from knowledge import library as library_module
from knowledge.library import HERE, build, load
from knowledge.reading import InvalidData, nearest, read


@pytest.fixture
def base(tmp_path):
    """A copy of the knowledge base that may be broken."""
    copy = tmp_path / "knowledge"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.md"))
    return copy


def broken(base, file, old, new):
    path = base / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidData) as caught:
        build(base)
    return str(caught.value)


def test_of_many_known_words_the_nearest_are_listed():
    known = [f"word{i}" for i in range(40)]
    assert nearest("word7", known).count("word") < 10
    assert nearest("word7", known).endswith(" and 34 more)")
    assert nearest("b", ["a", "b"]) == "; did you mean 'b'? (known: a, b)"


def test_the_base_has_no_mistakes():
    assert build().rules


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("axes/loss.yaml", "gan: wgan-gp", "gan: wgan-pg", "no GAN 'wgan-pg'; did you mean"),
        ("axes/loss.yaml", "tags: [wasserstein,", "tags: [waserstein,", "no tag 'waserstein'"),
        ("rules/loss.yaml", "table-6-005", "table-6-050", "no claim 'table-6-050'"),
        ("rules/coherence.yaml", "penalises-gradients", "penalizes-gradients", "did you mean"),
        ("rules/coherence.yaml", "layer: hard", "layer: hart", "did you mean 'hard'"),
        ("rules/coherence.yaml", "because:", "becuase:", "did you mean 'because'"),
        ("claims/survey-table-3.yaml", "lineage: gulrajani2017", "lineage: gulrajani", "no source"),
        ("gans/wgan-gp.yaml", "year: 2017", "year: soon", "year"),
        ("baseline.yaml", "loss: gan", "loss: gam", "no loss option 'gam'; did you mean 'gan'"),
        ("questions.yaml", "quality: [quality]", "quality: [qualty]", "no aspect 'qualty'"),
    ],
)
def test_each_mistake_is_told_with_its_file_and_line(base, file, old, new, says):
    message = broken(base, file, old, new)
    line = next(line for line in message.splitlines() if says in line)
    assert line.startswith(f"knowledge/{file}:")
    assert line.split(":")[1].isdigit()


def test_all_mistakes_are_told_at_once(base):
    (base / "axes/optimizer.yaml").write_text("id: optimizer\nname: x\noptions: 3\n")
    message = broken(base, "rules/loss.yaml", "layer: recommended", "layer: recomended")
    assert "axes/optimizer.yaml" in message
    assert "rules/loss.yaml" in message


def test_a_key_that_stands_twice_is_a_mistake(base):
    assert "'year' stands twice" in broken(base, "gans/gan.yaml", "year:", "year: 1\nyear:")


def test_an_id_that_stands_twice_is_a_mistake(base):
    message = broken(base, "claims/survey-table-6.yaml", "id: table-6-002", "id: table-6-001")
    assert "'table-6-001' is taken already" in message


def test_a_file_must_bear_the_name_of_its_id(base):
    assert "but the file is called" in broken(base, "gans/gan.yaml", "id: gan", "id: gun")


def test_the_compiled_form_equals_the_yaml_and_is_refused_when_stale(base, tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    fresh = load(base)
    assert fresh.model_dump() == build(base).model_dump()
    monkeypatch.setattr(library_module, "build", lambda root: pytest.fail("read the YAML again"))
    assert load(base) == fresh
    monkeypatch.undo()
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    question = base / "questions.yaml"
    question.write_text(question.read_text().replace("What matters most?", "What matters?"))
    assert load(base).questions["needs"].asks == "What matters?"


def test_no_code_that_reads_the_base_can_change_unnoticed(monkeypatch):
    seen = set()
    monkeypatch.setattr(library_module, "state", lambda file: bytes(seen.add(file) or b""))
    library_module.fingerprint(HERE, ())
    assert seen >= set(HERE.rglob("*.py"))


def test_a_torn_compiled_form_is_built_again(base, tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path / "cache"))
    load(base)
    (file,) = (tmp_path / "cache").glob("library-*.json")
    file.write_bytes(file.read_bytes()[:1000])
    assert load(base).gans


def test_yaml_tags_are_not_executed(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(InvalidData, match="not valid YAML"):
        read(path)


def test_every_axis_option_has_a_partner_in_some_coherent_combination():
    from advisor.advise import Advice

    library = build()
    advice = Advice({}, library)
    alive = advice.space.all
    for rule in library.rules:
        if rule.layer == "hard" and not rule.when:  # what somebody chose leaves less
            for selector in rule.excludes:
                alive &= ~advice.space.where(selector)
    for (slot, option), mask in advice.space.masks.items():
        assert alive & mask, f"no coherent combination has {slot} {option}"


def test_no_hard_rule_is_dead():
    """Each of them alone removes something from the product or from a system beside it."""
    from advisor.advise import Advice
    from advisor.space import nodes

    library = build()
    space = Advice({}, library).space
    beside = nodes(space, library)
    for rule in library.rules:
        for selector in (*rule.excludes, *rule.notes):
            fits = space.where(selector) or any(node.fits(selector) for node in beside)
            assert fits or rule.waiver, rule.id


def test_nearest_lists_what_there_is():
    assert nearest("wgan-pg", ["wgan-gp", "lsgan"]) == (
        "; did you mean 'wgan-gp'? (known: lsgan, wgan-gp)"
    )
