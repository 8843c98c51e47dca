"""kb check, new and diff as a person meets them; one file brings a GAN into the game."""

import json
import os
import re
import subprocess
import sys

import pytest

from advisor.advise import recommend
from advisor.commands.app import hoisted
from advisor.kb.diff import diff
from advisor.kb.lint import lint
from advisor.kb.template import KINDS, destination, template
from advisor.kb.upkeep import EXAMPLES, report_as_data, report_lines
from advisor.profile import read_profile
from knowledge.building import built
from knowledge.check import findings
from knowledge.library import HERE, build

FILLED = {
    "claim": {"subject: …": "subject: sn-gan", "source: …": "source: lee2020",
              "lineage: …": "lineage: lee2020"},
    "result": {"source: …": "source: lee2020"},
    "rule": {"claims: […]": "claims: [table-3-027]"},
}  # fmt: skip


def filled(kind, name):
    text = template(kind, name)
    for old, new in FILLED.get(kind, {}).items():
        assert old in text
        text = text.replace(old, new)
    return "\n".join(
        line if line.startswith("#") else line.replace("…", "a sentence of our own.")
        for line in text.splitlines()
    )


def overlay_with(folder, kind, name):
    path = destination(kind, name, folder)
    path.parent.mkdir(parents=True)
    path.write_text(filled(kind, name))
    return folder


def run(*arguments, **variables):
    command = [sys.executable, "-m", "advisor.cli", *map(str, arguments)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


# new -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_valid_once_it_is_filled_in(tmp_path, kind):
    name = "my_fact" if kind == "question" else "my-entry"
    folder = overlay_with(tmp_path / "mine", kind, name)
    library = build(overlays=[folder])
    expected = {"result": "results"}.get(kind, kind)
    assert (expected, name) in [(entry.kind, entry.id) for entry in library.added]


def test_what_is_left_to_fill_in_is_told(tmp_path):
    path = destination("gan", "my-gan", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(template("gan", "my-gan"))
    told = [str(each) for each in findings(built(HERE, [tmp_path]))]
    assert f"{path}:4: name: is still to be filled in" in told
    assert len(told) == sum("…" in line.split("#")[0] for line in path.read_text().splitlines())


def test_a_commented_line_of_the_gan_template_is_valid_too():
    """Uncommented, the optional fields are fields that exist."""
    fields = re.findall(r"^# ([a-z_]+):", template("gan", "my-gan"), re.MULTILINE)
    from knowledge.schema import Gan

    assert fields
    assert set(fields) <= set(Gan.model_fields)


def test_new_writes_into_an_overlay_and_never_over_what_is_there(tmp_path):
    done = run("kb", "new", "gan", "my-gan", "-o", tmp_path / "mine")
    path = tmp_path / "mine/gans/my-gan.yaml"
    assert done.stdout.strip() == str(path)
    path.write_text("mine")
    again = run("kb", "new", "gan", "my-gan", "-o", tmp_path / "mine")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert path.read_text() == "mine"
    assert [file.name for file in path.parent.iterdir()] == ["my-gan.yaml"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["gam"], "did you mean 'gan'"), (["gan", "My GAN"], "kebab-case"),
     (["question", "a-b"], "snake_case")],
)  # fmt: skip
def test_new_says_what_is_allowed(arguments, says):
    done = run("kb", "new", *arguments)
    assert done.returncode == 2
    assert says in done.stderr


# One file is enough ------------------------------------------------------------------------------


@pytest.fixture
def newcomer(tmp_path):
    return overlay_with(tmp_path / "mine", "gan", "my-gan")


def test_a_gan_added_by_one_file_is_recommended_where_its_claims_speak_for_it(newcomer):
    library = build(overlays=[newcomer])
    for_quality = recommend({"needs": ("quality",)}, library)
    assert "my-gan" in [candidate.id for candidate in for_quality.candidates]
    for_speed = recommend({"needs": ("speed",)}, library)
    assert "my-gan" not in [candidate.id for candidate in for_speed.candidates]


@pytest.mark.parametrize(
    ("tag", "answers", "stays"),
    [
        ("fails-at-high-resolution", {"resolution": 64}, True),
        ("fails-at-high-resolution", {"resolution": 512}, False),
        ("leaves-the-data", {"out_of_dataset": "tolerable"}, True),
        ("leaves-the-data", {"out_of_dataset": "unacceptable"}, False),
        ("needs-encoder", {}, False),
    ],
)
def test_its_tags_decide_where(newcomer, tag, answers, stays):
    path = newcomer / "gans/my-gan.yaml"
    path.write_text(path.read_text().replace("tags: []", f"tags: [{tag}]"))
    found = recommend({"needs": ("quality",), **answers}, build(overlays=[newcomer]))
    assert ("my-gan" in [candidate.id for candidate in found.candidates]) is stays


def test_the_file_brings_its_claim_and_its_source_along(newcomer):
    library = build(overlays=[newcomer])
    assert library.claims["my-gan-001"].source == "my-gan-paper"
    assert library.sources["my-gan-paper"]
    assert library.gans["my-gan"].claims == ()


def test_a_filled_file_passes_the_checks(newcomer):
    assert [str(each) for each in lint([newcomer]).mistakes] == []


# Commands ----------------------------------------------------------------------------------------


def test_an_overlay_is_taken_anywhere_on_the_line_and_never_silently(newcomer):
    arguments = ("recommend", "--need", "quality", "--json")
    after = run(*arguments, "--knowledge", newcomer)
    before = run("--knowledge", newcomer, *arguments)
    assert after.stdout == before.stdout
    assert "my-gan" in [each["id"] for each in json.loads(after.stdout)["candidates"]]
    assert "the overlay adds claim my-gan-001, gan my-gan, source my-gan-paper" in after.stderr


def test_a_persons_own_overlay_is_taken_and_told(newcomer, tmp_path):
    home = tmp_path / "config"
    (home / "gan-advisor").mkdir(parents=True)
    newcomer.rename(home / "gan-advisor/knowledge")
    done = run("recommend", "--need", "quality", "--json", XDG_CONFIG_HOME=str(home))
    assert "my-gan" in done.stdout
    assert "the overlay adds" in done.stderr


def test_the_option_is_found_wherever_it_stands():
    assert hoisted(["recommend", "--knowledge", "a", "x", "--knowledge=b"]) == [
        "--knowledge", "a", "--knowledge=b", "recommend", "x",
    ]  # fmt: skip
    assert hoisted(["kb", "--", "--knowledge"]) == ["kb", "--", "--knowledge"]
    assert hoisted(["recommend", "--knowledge"]) == ["--knowledge", "recommend"]


def test_check_lists_mistakes_and_fails(tmp_path):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims/mine.yaml").write_text(
        filled("claim", "mine-1").replace("object: gan", "object: gam")
    )
    done = run("kb", "check", "--knowledge", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/claims/mine.yaml:4: mine-1: no GAN 'gam'; did you mean 'gan'" in done.stdout
    as_data = json.loads(run("kb", "check", "--json", "--knowledge", tmp_path).stdout)
    assert as_data["schema_version"] == 1
    assert as_data["mistakes"][0]["line"] == 4


def test_check_shows_what_is_meant(sound):
    short, long = (list(report_lines(sound, waived=waived)) for waived in (False, True))
    assert len(short) == 1
    assert "(--waived)" in short[0]
    assert "meant: k21 changes nothing in any profile" in long
    assert long[1].startswith("    ")
    assert len(report_as_data(sound)["waived"]) == len(sound.waived)


# diff --------------------------------------------------------------------------------------------


def test_the_example_profiles_are_valid_and_lead_somewhere(library):
    assert len(list(EXAMPLES.glob("*.yaml"))) == 8
    for path in EXAMPLES.glob("*.yaml"):
        assert recommend(read_profile(path, library), library).candidates, path.name


def test_diff_shows_fields_and_recommendations_that_change(newcomer, library):
    rule = next(each for each in library.rules if each.layer == "recommended" and each.excludes)
    mine = rule.model_copy(update={"layer": "hard", "because": "I know better."})
    (newcomer / "rules").mkdir()
    (newcomer / "rules/mine.yaml").write_text(f"[{mine.model_dump_json(exclude_defaults=True)}]")
    found = diff(library, build(overlays=[newcomer]), [EXAMPLES / "nothing-known.yaml"])
    changes = {(change.entry.kind, change.entry.id): change for change in found.entries}
    assert changes["gan", "my-gan"].is_new
    (layer, because) = changes["rule", rule.id].fields
    assert (layer.name, layer.before, layer.after) == ("layer", "recommended", "hard")
    assert because == ("because", rule.because, "I know better.")
    (advice,) = found.advice
    assert advice.came == ("my-gan",)
    assert advice.differs


def test_an_overlay_that_repeats_the_base_changes_nothing(tmp_path, library):
    (tmp_path / "gans").mkdir()
    (tmp_path / "gans/wgan.yaml").write_text((HERE / "gans/wgan.yaml").read_text())
    found = diff(library, build(overlays=[tmp_path]), sorted(EXAMPLES.glob("*.yaml")))
    (change,) = found.entries
    assert not change.is_new
    assert change.fields == ()
    assert not any(each.differs for each in found.advice)


def test_every_kind_of_entry_can_be_compared(tmp_path, library):
    """The whole base laid over itself overrides every entry, and changes none."""
    import shutil

    shutil.copytree(HERE, tmp_path / "mine", ignore=shutil.ignore_patterns("*.py", "schemas"))
    above = build(overlays=[tmp_path / "mine"])
    assert above.added == ()
    kinds = {kind for kind, _ in built(HERE).places}  # axes are compared by option and tag
    assert {entry.kind for entry in above.overridden} == kinds - {"axis", "result"}
    found = diff(library, above, [EXAMPLES / "digits.yaml"])
    assert not [change for change in found.entries if change.fields]
    assert not found.advice[0].differs


def test_diff_prints_and_gives_json(newcomer):
    done = run("kb", "diff", newcomer)
    assert done.returncode == 0, done.stderr
    assert "+ gan my-gan" in done.stdout
    assert "    + my-gan" in done.stdout
    as_data = json.loads(run("kb", "diff", newcomer, "--json").stdout)
    assert as_data["schema_version"] == 1
    assert any(each["differs"] for each in as_data["advice"])
