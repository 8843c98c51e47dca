"""The schemas for editors follow from the types."""

import json

import pytest

from knowledge import schemas
from knowledge.library import FOLDERS, HERE


def test_they_are_current(capsys):
    assert schemas.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_and_a_missing_one_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(schemas, "FOLDER", tmp_path / "schemas")
    schemas.main([])
    (tmp_path / "schemas/gans.json").write_text("{}")
    (tmp_path / "schemas/rules.json").unlink()
    (tmp_path / "schemas/nothing.json").write_text("{}")
    assert schemas.main(["--check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0].split("/")[-1] for line in told[:-1]] == [
        "gans.json", "rules.json", "nothing.json",
    ]  # fmt: skip


def test_every_file_of_the_base_has_one():
    loose = {path.stem for path in HERE.glob("*.yaml")}
    assert set(schemas.SHAPES) == {*FOLDERS, *loose}


@pytest.mark.parametrize("name", schemas.SHAPES)
def test_references_inside_a_schema_lead_somewhere(name):
    found = schemas.schema(name)
    text = json.dumps(found)
    for piece in text.split('"#/$defs/')[1:]:
        assert piece.split('"')[0] in found["$defs"]


def test_one_word_may_stand_for_a_list_of_one():
    aspects = schemas.schema("claims")["$defs"]["Claim"]["properties"]["aspects"]
    assert {"type": "string"} in aspects["anyOf"]


def test_a_number_takes_from_its_table_what_it_does_not_say():
    found = schemas.schema("results")
    assert found["$defs"]["Result"]["required"] == ["id"]
    assert "protocol" in found["properties"]["shared"]["properties"]
