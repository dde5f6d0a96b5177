"""`prompt`: no training; the model is asked, perhaps after it was shown some examples."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from xharness import Checkpoint, Route, Strategy, Strict


class PromptOptions(Strict):
    """How many examples are shown."""

    shots: int = Field(
        default=0,
        ge=0,
        description="examples of the source-language training set, drawn by the seed, that are "
        "shown with their answers before every question",
    )


class Prompt(Strategy):
    """Ask a model that answers in words as it is (Brown et al. 2020; Lin et al. 2022).

    Its scores are labelled *prompted, k-shot*, another protocol than *fine-tuned*. A target that
    names several training sets shows examples of the last, which is nearest to it.
    """

    name = "prompt"
    options: type[BaseModel] = PromptOptions

    def route(self, route: Route, options: Any) -> Checkpoint:
        return route.prompted(options.shots)
