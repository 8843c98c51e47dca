"""`kb check`: each kind of mistake is found on a broken copy, with its file and line."""

import re
import shutil

import pytest

from advisor.advise import Advice
from advisor.facts import derive
from advisor.kb import reach
from advisor.kb.lint import lint
from advisor.kb.reach import Walk
from knowledge.building import attempt
from knowledge.check import findings
from knowledge.library import HERE


def copy_of_the_base(folder):
    base = folder / "knowledge"
    shutil.copytree(HERE, base, ignore=shutil.ignore_patterns("*.py", "__pycache__", "schemas"))
    return base


def broken(base, file, old, new):
    path = base / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def told(report):
    return [str(mistake) for mistake in report.mistakes]


def test_the_base_passes_its_own_checks(sound):
    assert told(sound) == []


def test_what_is_meant_says_why(sound):
    assert sound.waived
    assert all(len(each.reason.split()) >= 20 for each in sound.waived)


# What the engine is needed for: one copy with a mistake of every kind -------------------------

RULES = """
- id: never-fires
  stage: loss
  layer: recommended
  says: x
  because: x
  when: {resolution_class: gigantic}
  excludes: [{loss: wasserstein}]
  sources: [motwani2020]
- id: changes-nothing
  stage: handful
  layer: recommended
  says: x
  because: x
  excludes: [{loss: wgan, regularization: spectral}]
  sources: [motwani2020]
- id: needs-no-waiver
  stage: loss
  layer: recommended
  says: x
  because: x
  when: {out_of_dataset: unacceptable}
  excludes: [{loss: lsgan}]
  sources: [motwani2020]
  waiver: one two three four five six seven eight nine ten one two three four five six seven eight nine ten
- id: keeps-everybody-off
  stage: coherence
  layer: hard
  says: x
  because: x
  excludes: [{regularization: lonely}]
  sources: [motwani2020]
"""
LONELY = """
  - {id: lonely, name: nobody fits it}
"""
NODE = """
id: nowhere
name: NoGAN
full_name: A system that no profile leads to
year: 2020
kind: loss-variant
summary: It has no claims and clips weights that no rule lets it clip.
tasks: [unconditional]
combination: {architecture: dcgan, loss: nowhere, regularization: weight-clipping,
              normalization: none, optimizer: adam, divergence: native}
change:
  divergence: jensen-shannon
  loss: {name: non-saturating}
  critic_norm: batchnorm
"""
ENGINE = [
    ("rules/extra.yaml:2:", "never-fires can never fire"),
    ("rules/extra.yaml:10:", "changes-nothing changes nothing in any profile"),
    ("rules/extra.yaml:25:", "needs-no-waiver needs no waiver"),
    ("axes/regularization.yaml:", "the regularization option lonely has no coherent partner"),
    ("axes/optimizer.yaml:", "no profile reaches the optimizer option sgd"),
    ("gans/nowhere.yaml:", "nowhere: no profile leads to it"),
    ("gans/nowhere.yaml:14:", "its recipe cannot be put together: critic_norm"),
]


@pytest.fixture(scope="module")
def full_of_mistakes(tmp_path_factory):
    """One walk for all of them: it takes seconds."""
    base = copy_of_the_base(tmp_path_factory.mktemp("broken"))
    (base / "rules/extra.yaml").write_text(RULES)
    (base / "gans/nowhere.yaml").write_text(NODE)
    path = base / "axes/regularization.yaml"
    path.write_text(path.read_text().rstrip() + LONELY)
    path = base / "axes/optimizer.yaml"
    path.write_text(path.read_text().rstrip() + "\n  - {id: sgd, name: plain descent}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "LIMIT", 1)  # the second answer would find nothing, and takes seconds
        return told(lint(root=base))


@pytest.mark.parametrize(("place", "says"), ENGINE, ids=[says for _, says in ENGINE])
def test_what_only_the_engine_can_tell(full_of_mistakes, place, says):
    (line,) = (line for line in full_of_mistakes if says in line)
    assert line.startswith(f"knowledge/{place}")
    assert re.match(r"[\w/.-]+:\d+: ", line)


def test_nothing_else_is_told(full_of_mistakes):
    assert len(full_of_mistakes) == len(ENGINE)


# What needs no engine --------------------------------------------------------------------------


NOBODY = """nobody2014: {title: T, authors: A, year: 2014, kind: paper, url: u}
goodfellow2014:"""


def told_plainly(base):
    found, problems = attempt(base)
    return [str(each) for each in (*problems, *(findings(found) if found else ()))]


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("claims/survey-table-3.yaml", "locator: ", "locator: '' #", "locator: string should have"),
        ("results/lucic-best.yaml", "protocol: ", "protocol: '' #", "protocol: string should have"),
        ("results/headline.yaml", "protocol: sample sizes not stated", "protocol: measured",
         "without its protocol: give n_generated"),
        ("rules/loss.yaml", "  claims: [table-6-005, table-6-006]\n", "", "k18 cites neither"),
        ("sources.yaml", "goodfellow2014:", NOBODY, "nobody cites nobody2014"),
        ("axes/optimizer.yaml", "tags:\n", "tags:\n  unused: A word.\n", "no rule uses"),
        ("axes/optimizer.yaml", "options:", f"waivers: {{momentum: {'so ' * 20}}}\noptions:",
         "the optimizer tag momentum needs no waiver"),
        ("axes/divergence.yaml", "waiver: &only-f-gan >-", "waiver: &only-f-gan short #",
         "not valid YAML"),
        ("techniques.yaml", "used_by: [wgan,", "used_by: [wgam,", "no GAN 'wgam'; did you mean"),
        ("results/headline.yaml", "dataset: imagenet", "dataset: imagnet", "no data set 'imagnet'"),
        ("results/headline.yaml", "metric: fid", "metric: fidd", "no metric 'fidd'; did you mean"),
        ("results/headline.yaml", "id: headline-02", "id: headline-01", "is taken already"),
        ("conflicts.yaml", "gans: [lsgan,", "gans: [lsgann,", "no GAN 'lsgann'"),
        ("hyperparameters.yaml", "source: kang2022", "source: kang2020", "no source 'kang2020'"),
        ("survey-table-1.yaml", "metrics: [parzen]", "metrics: [parzn]", "no metric 'parzn'"),
        ("gans/ralsgan.yaml", "  loss: ralsgan\n", "", "names no loss"),
        ("gans/ralsgan.yaml", "loss: {name: relativistic-average}", "batch_size: 32",
         "so `change` names loss"),
        ("gans/gan.yaml", "year: 2014", "year: 2014\nyear: 2014", "the key 'year' stands twice"),
        ("variants.yaml", "gan-gp: ", "gan-gp: x\ngan-gp: ", "the key 'gan-gp' stands twice"),
    ],
)  # fmt: skip
def test_mistakes_that_need_no_engine(tmp_path, file, old, new, says):
    base = copy_of_the_base(tmp_path)
    broken(base, file, old, new)
    lines = [line for line in told_plainly(base) if says in line]
    assert lines
    assert lines[0].startswith(f"knowledge/{file}:")


def test_a_waiver_of_few_words_is_none(tmp_path):
    base = copy_of_the_base(tmp_path)
    broken(base, "rules/loss.yaml", "- id: k18\n", "- id: k18\n  waiver: because I say so\n")
    (line,) = told(lint(root=base))
    assert "at least 20 words" in line


def test_files_in_no_known_place_are_not_passed_over(tmp_path):
    base = copy_of_the_base(tmp_path)
    (base / "gan").mkdir()
    shutil.copy(base / "gans/gan.yaml", base / "gan/gan.yaml")
    (base / "source.yaml").write_text("{}\n")
    (base / "gans/wgan.yml").write_text("{}\n")
    lines = told(lint(root=base))
    assert len(lines) == 3
    assert any("no folder gan; did you mean 'gans'" in line for line in lines)
    assert any("did you mean 'sources.yaml'" in line for line in lines)
    assert any("call it .yaml" in line for line in lines)


# The walk over many profiles -------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(library):
    return Walk(library, limit=1).reach()


@pytest.mark.parametrize(
    "answer",
    [{}, {"needs": ("quality",)}, {"dataset": "cifar10"}, {"needs": ("speed",)},
     {"resolution": 256}, {"out_of_dataset": "unacceptable"}],
)  # fmt: skip
def test_what_a_profile_leads_to_the_walk_finds(library, found, answer):
    advice = Advice(answer, library)
    left = advice.everything
    for rule, before, left in advice.trail():
        assert before == left or rule.id in found.matters
    for index in advice.space.members(left.alive):
        assert set(advice.space.combination(index).items()) <= found.options
    assert {node.gan.id for node in left.beside} <= found.beside


@pytest.mark.parametrize("question", ["resolution", "images"])
def test_numbers_stand_for_every_class_that_a_fact_makes_of_them(library, question):
    def classes(numbers):
        drawn = (derive({question: number}, library) for number in numbers)
        return {tuple(f for f in sorted(facts.items()) if f[0] != question) for facts in drawn}

    chosen = [number for number in Walk(library).answers[question] if number != ""]
    assert classes(chosen) == classes(range(1, 3000))
    assert len(chosen) == len(classes(chosen)) > 1
