"""A recommendation says with what the knowledge base was extended."""

import pytest

from advisor import recommend
from advisor.api import open_library
from advisor.document import markdown
from advisor.overlays import OWN, used
from advisor.recommendation import Recommendation
from knowledge.library import build, load

CLAIM = """
- id: mine-001
  subject: sn-gan
  object: self
  aspects: quality
  direction: positive
  says: SN-GAN did well on my images.
  source: kurach2018
  locator: Table 9
  lineage: kurach2018
"""


@pytest.fixture
def overlay(tmp_path):
    folder = tmp_path / "mine"
    (folder / "claims").mkdir(parents=True)
    (folder / "claims" / "mine.yaml").write_text(CLAIM)
    return folder


def test_the_base_alone_is_no_overlay(library):
    assert recommend({}, library=library, robust=False).overlays == ()


def test_an_overlay_is_recorded_by_name_and_by_what_it_says(overlay, tmp_path):
    (first,) = used(load(overlays=(overlay,)))
    assert first.name == "mine"
    elsewhere = tmp_path / "copied" / "mine"
    elsewhere.parent.mkdir()
    overlay.rename(elsewhere)
    assert used(build(overlays=(elsewhere,))) == (first,)  # the place is nobody's business
    (elsewhere / "claims" / "mine.yaml").write_text(CLAIM.replace("did well", "did badly"))
    (changed,) = used(load(overlays=(elsewhere,)))
    assert changed.name == first.name
    assert changed.fingerprint != first.fingerprint


def test_a_persons_own_overlay_is_called_so(overlay, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    own = tmp_path / "config" / "gan-advisor"
    own.mkdir(parents=True)
    overlay.rename(own / "knowledge")
    assert [each.name for each in used(open_library())] == [OWN]


def test_it_is_in_the_file_and_on_the_page(overlay):
    found = recommend({"needs": ["quality"]}, library=load(overlays=(overlay,)), robust=False)
    again = Recommendation.model_validate_json(found.model_dump_json())
    assert again.overlays == found.overlays
    (laid,) = found.overlays
    assert f"The knowledge base was extended with mine ({laid.fingerprint})." in markdown(found)
