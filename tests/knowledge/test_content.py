"""What the knowledge base holds: how much, of which shape, and that every id leads somewhere."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

import knowledge
from knowledge import archive, numbers, schema

ROOT = Path(knowledge.__file__).parent
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


@cache
def record(name: str, shape: Any) -> Any:
    return TypeAdapter(shape).validate_python(read(ROOT / name))


@cache
def folder(name: str, shape: Any) -> dict[str, Any]:
    return {
        str(p.relative_to(ROOT)): record(str(p.relative_to(ROOT)), shape)
        for p in sorted((ROOT / name).glob("*.yaml"))
    }


def sources():
    return record("sources.yaml", dict[str, schema.Source])


def vocabulary():
    return record("vocabulary.yaml", schema.Vocabulary)


def gans():
    return {gan.id: gan for gan in folder("gans", schema.Gan).values()}


def datasets():
    return {dataset.id: dataset for dataset in folder("datasets", schema.Dataset).values()}


def claims():
    return [claim for file in folder("claims", list[schema.Claim]).values() for claim in file]


def results():
    return [r for table in folder("results", numbers.ResultTable).values() for r in table.results]


def metrics():
    return record("metrics.yaml", dict[str, numbers.Metric])


def techniques():
    return record("techniques.yaml", dict[str, archive.Technique])


def global_conflicts():
    return record("conflicts.yaml", list[archive.GlobalConflict])


def hyperparameters():
    return record("hyperparameters.yaml", numbers.Hyperparameters)


def survey_rows():
    return record("survey-table-1.yaml", list[archive.SurveyRow])


def models():
    return {*gans(), *(f"variant:{name}" for name in record("variants.yaml", dict[str, str]))}


# How much ------------------------------------------------------------------------------------


def test_all_systems_are_there():
    kinds = Counter(gan.kind for gan in gans().values())
    assert kinds == {
        "loss-variant": 19,
        "architecture-variant": 22,
        "application": 8,
        "regularization": 3,
        "baseline": 1,
    }
    assert kinds.total() == 53


def test_claims_are_counted_by_table():
    counts = {file: len(found) for file, found in folder("claims", list[schema.Claim]).items()}
    assert counts == {
        "claims/survey-table-2.yaml": 48,
        "claims/survey-table-3.yaml": 45,
        "claims/survey-table-4.yaml": 23,
        "claims/survey-table-5.yaml": 2,
        "claims/survey-table-6.yaml": 6,
        "claims/survey-table-7.yaml": 13,
        "claims/survey-framework.yaml": 23,
        "claims/architectures.yaml": 115,
        "claims/reading-notes.yaml": 29,
        "claims/large-scale-study.yaml": 25,
        "claims/interview-notes.yaml": 31,
    }


def test_claims_are_counted_by_source():
    assert Counter(claim.source for claim in claims()) == {
        "motwani2020": 160,
        "wang2019": 115,
        "notes2019": 29,
        "lucic2017": 25,
        "interview2020": 31,
    }


def test_published_numbers_are_counted():
    assert len(results()) == 404
    assert sum(result.verified for result in results()) == 316
    assert sum(not result.verified for result in results()) == 88


def test_conflicts_are_counted():
    assert sum(len(gan.conflicts) for gan in gans().values()) == 73
    assert len(global_conflicts()) == 40


def test_table_1_is_there_row_by_row():
    rows = [(row.year, row.printed_as, len(row.datasets)) for row in survey_rows()]
    assert rows == [
        (2014, "SGAN", 3),
        (2015, "VAEGAN", 4),
        (2016, "F-GAN", 2),
        (2016, "LEAST SQUARES GAN", 3),
        (2017, "Loss Sensitive GAN", 5),
        (2017, "WGAN", 1),
        (2017, "GEOMETRIC GAN", 4),
        (2017, "WGAN-GP", 3),
        (2018, "SN-GAN", 3),
        (2018, "RGAN", 2),
    ]


def test_a_gan_holds_what_table_1_says_of_it():
    for row in survey_rows():
        gan = gans()[row.gan]
        assert gan.year == row.year
        for field in ("datasets", "metrics", "issues_addressed"):
            assert set(getattr(row, field)) <= set(getattr(gan, field)), (gan.id, field)


# Of which shape ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape"), [("gans", schema.Gan), ("datasets", schema.Dataset),
                                             ("results", numbers.ResultTable)])  # fmt: skip
def test_a_file_bears_the_id_of_its_entry(name, shape):
    for file, entry in folder(name, shape).items():
        assert Path(file).stem == entry.id


def test_ids_are_taken_once():
    settings = hyperparameters()
    for kind in (
        claims(),
        results(),
        global_conflicts(),
        [*settings.published, *settings.searches, *settings.studies],
    ):
        twice = [name for name, count in Counter(entry.id for entry in kind).items() if count > 1]
        assert not twice


def test_a_result_takes_what_its_table_shares_unless_it_says_otherwise():
    table = numbers.ResultTable.model_validate(
        {
            "id": "t",
            "title": "T",
            "shared": {
                "model": "gan", "dataset": "mnist", "metric": "fid", "polarity": "lower",
                "protocol": "p", "source": "s", "locator": "l", "verified": True,
            },
            "results": [{"id": "t-1", "value": 1.0}, {"id": "t-2", "value": 2.0, "model": "wgan"}],
        }
    )  # fmt: skip
    assert [(r.model, r.metric) for r in table.results] == [("gan", "fid"), ("wgan", "fid")]


def test_a_misspelt_shared_field_is_an_error():
    with pytest.raises(ValueError, match="protocoll"):
        numbers.ResultTable.model_validate(
            {"id": "t", "title": "T", "shared": {"protocoll": "p"}, "results": [{"id": "t-1"}]}
        )


def test_an_unverified_number_says_how_far_to_trust_it():
    assert all(result.verified == (result.confidence is None) for result in results())


def test_a_number_points_the_way_its_measure_does():
    for result in results():
        assert result.polarity == metrics()[result.metric].polarity, result.id


def test_a_reference_of_test_images_is_no_larger_than_the_test_set():
    for result in results():
        dataset = datasets()[result.dataset]
        have = {"test": dataset.test_images, "train": dataset.images}.get(result.split or "")
        if have and result.n_reference:
            assert result.n_reference <= have, result.id


def test_neutral_studies_introduced_none_of_the_methods_they_measure():
    assert not [r.id for r in results() if r.own_method and r.source in
                {"lucic2017", "kurach2018", "lee2020", "kang2022"}]  # fmt: skip


def test_published_budgets_follow_from_steps_and_batches():
    for entry in hyperparameters().published:
        factors = (entry.steps, entry.critic_steps, entry.batch_size)
        if entry.budget_images and None not in factors:
            assert entry.budget_images == entry.steps * entry.critic_steps * entry.batch_size


def test_both_sides_of_a_conflict_stand_and_name_who_says_so():
    everyone = re.compile("|".join(map(re.escape, sources())), re.IGNORECASE)
    for conflict in [*global_conflicts(), *(c for gan in gans().values() for c in gan.conflicts)]:
        assert conflict.one_side != conflict.other_side
        assert everyone.search(conflict.one_side + conflict.other_side), conflict.about


def test_a_data_set_is_found_by_one_name_only():
    def plain(name):
        return "".join(letter for letter in name.lower() if letter.isalnum())

    names = [
        (name, dataset.id)
        for dataset in datasets().values()
        for name in {plain(n) for n in (dataset.id, dataset.name, *dataset.aliases)}
    ]
    assert not [n for n, count in Counter(name for name, _ in names).items() if count > 1]


def test_names_that_two_systems_share_carry_a_warning():
    names = Counter(alias for gan in gans().values() for alias in {gan.name, *gan.aliases})
    for gan in gans().values():
        shared = [alias for alias in {gan.name, *gan.aliases} if names[alias] > 1]
        assert gan.name_warning or not shared, (gan.id, shared)


@pytest.mark.parametrize("gan", ["lsgan", "ls-gan", "gan", "sgan-semi", "rgan", "rgan-label-noise",
                                 "msg-gan"])  # fmt: skip
def test_ambiguous_names_carry_a_warning(gan):
    assert gans()[gan].name_warning


# Every id leads somewhere --------------------------------------------------------------------

Reference = tuple[str, str]  # who refers, to which id


def expect(known, references: Iterator[Reference]) -> None:
    lost = [
        f"{who}: {word!r}, nearest {get_close_matches(word, list(known), 1)}"
        for who, word in references
        if word not in known
    ]
    assert not lost


def test_sources_exist():
    settings = hyperparameters()

    def references():
        for claim in claims():
            yield from ((claim.id, source) for source in (claim.source, claim.lineage))
        for gan in gans().values():
            yield from ((gan.id, fact.source) for fact in gan.facts)
            if gan.source:
                yield gan.id, gan.source
        yield from ((d.id, d.source) for d in datasets().values() if d.source)
        yield from ((result.id, result.source) for result in results())
        for name, entry in [*metrics().items(), *techniques().items()]:
            yield from ((name, source) for source in entry.sources)
        for entry in (*settings.published, *settings.searches, *settings.studies):
            yield entry.id, entry.source

    expect(sources(), references())


def test_data_sets_exist():
    def references():
        for entry in [*claims(), *gans().values()]:
            yield from ((entry.id, dataset) for dataset in entry.datasets)
        yield from ((result.id, result.dataset) for result in results())
        yield from ((e.id, e.dataset) for e in hyperparameters().published if e.dataset)

    expect(datasets(), references())


def test_models_exist():
    def references():
        yield from ((result.id, result.model) for result in results())
        settings = hyperparameters()
        yield from ((e.id, e.model) for e in (*settings.published, *settings.searches) if e.model)
        for conflict in global_conflicts():
            yield from ((conflict.id, gan) for gan in conflict.gans)
        for name, technique in techniques().items():
            yield from ((name, gan) for gan in technique.used_by)
        yield from (("survey-table-1", row.gan) for row in survey_rows())
        for claim in claims():
            ends = (claim.subject, claim.object)
            yield from ((claim.id, end) for end in ends if ":" not in end and end != "self")

    expect(models(), references())


def test_measures_exist():
    def references():
        yield from ((result.id, result.metric) for result in results())
        for gan in gans().values():
            yield from ((gan.id, metric) for metric in gan.metrics)

    expect(metrics(), references())


def test_aspects_exist_and_are_all_used():
    expect(vocabulary().aspects, ((c.id, aspect) for c in claims() for aspect in c.aspects))
    assert {aspect for claim in claims() for aspect in claim.aspects} == set(vocabulary().aspects)


def test_issues_exist_and_are_all_used():
    pairs = [
        (gan.id, issue)
        for gan in gans().values()
        for issue in (*gan.issues_addressed, *gan.issues_open)
    ]
    expect(vocabulary().issues, iter(pairs))
    assert {issue for _, issue in pairs} == set(vocabulary().issues)


def test_tasks_exist_and_are_all_served():
    pairs = [(gan.id, task) for gan in gans().values() for task in gan.tasks]
    expect(vocabulary().tasks, iter(pairs))
    assert {task for _, task in pairs} == set(vocabulary().tasks)


def test_every_source_is_cited():
    text = " ".join(
        path.read_text(encoding="utf-8")
        for path in ROOT.rglob("*.yaml")
        if path.name != "sources.yaml"
    )
    cited = set(re.findall(r"[\w-]+", text))
    assert not set(sources()) - cited


EXAMPLES = re.findall(
    r"```yaml\n# (\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize(("shape", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_examples_of_the_readme_are_valid(shape, text):
    entry = yaml.load(text, Loader)
    record_type = getattr(schema, shape, None) or getattr(numbers, shape)
    TypeAdapter(list[record_type] if isinstance(entry, list) else record_type).validate_python(
        entry
    )


def test_the_readme_shows_how_to_add_each_kind():
    kinds = list(dict.fromkeys(name for name, _ in EXAMPLES))
    assert kinds == ["Gan", "Claim", "Rule", "Question", "ResultTable"]


def test_a_source_has_an_address_or_says_why_not():
    for name, source in sources().items():
        assert source.url.startswith("https://") or "address" in (source.note or ""), name
        assert re.sub(r"\D", "", name) in ("", str(source.year)) or source.kind == "code", name


# How it reads --------------------------------------------------------------------------------


def texts(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        for value in entry.values():
            yield from texts(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from texts(value)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.yaml")), ids=lambda p: p.stem)
def test_documents_go_by_their_bibliographic_names(path):
    # Never by a number; and a seed is a random one.
    for text in texts(read(path)):
        assert not re.search(r"(?<!random )\bseeds?\b", text, re.IGNORECASE), text
        assert not re.search(r"(?<![-\w.,])00[0-4]\b", text), text


def test_summaries_are_sentences_in_plain_words():
    for gan in gans().values():
        assert gan.summary.endswith("."), gan.id
        assert 30 <= len(gan.summary) <= 260, gan.id
