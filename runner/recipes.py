"""A recipe by name or from a file, for whoever wants to look at one."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from knowledge.recipes import UnknownSystem, recipe_of
from knowledge.schema import Recipe
from runner.game import rule_book


class RecipeError(ValueError):
    """Neither a published system nor a recipe that can be read."""


def read_recipe(what: str) -> Recipe:
    """`wgan-gp`, `fgan:pearson`, or a YAML or JSON file with the fields of a recipe."""
    path = Path(what)
    if path.suffix not in (".yaml", ".yml", ".json"):
        try:
            return recipe_of(what, rule_book())
        except UnknownSystem as error:
            raise RecipeError(str(error)) from None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Recipe.model_validate(content)
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise RecipeError(f"{path}{line}: {getattr(error, 'problem', error)}") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no recipe: {first(error)}") from None


def first(error: ValidationError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    mistake = error.errors()[0]
    return f"{'.'.join(map(str, mistake['loc'])) or 'the file'}: {mistake['msg']}"
