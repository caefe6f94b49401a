"""The compression recipes, one per file, and the table that names them."""

from __future__ import annotations

from edgeseg.errors import UnknownNameError
from edgeseg.recipes import channel_prune, cluster, distil, equalize, half, prune, qat
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench

__all__ = ["RECIPES", "Outcome", "Recipe", "Workbench", "get"]

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        channel_prune.RECIPE,
        distil.RECIPE,
        prune.RECIPE,
        cluster.RECIPE,
        qat.RECIPE,
        equalize.RECIPE,
        half.RECIPE,
    )
}


def get(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        UnknownNameError: with the names there are.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return RECIPES[name]
