"""Prompts: what stands before a text, by what the text is there for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from xharness import Strict, TextRole
from xharness_hf.embedding.sentence_transformers.layout import PromptsConfig

PromptsByRole = Mapping[TextRole, str]

_PASSAGE = ("document", "passage", "corpus")  # as sentence-transformers' `encode_document`


class Prompts(Strict):
    """What is put before a text, by what it is there for; default: what the folder declares."""

    query: str | None = Field(default=None, description="before what is searched with")
    passage: str | None = Field(default=None, description="before what is searched")
    sentence: str | None = Field(
        default=None,
        description="before what is compared with its like, as in bitext; default: as a query",
    )


def prompts_by_role(declared: PromptsConfig, own_prompts: Prompts) -> PromptsByRole:
    """The prompt of each role, "" for none: the study's, else the folder's.

    A sentence that is compared with its like gets the default prompt, else that of a query, as E5
    wants it of bitext (Wang et al. 2024, 2402.05672, and the models' own pages).
    """
    declared_prompts = {
        name: prompt for name, prompt in declared.prompts.items() if prompt is not None
    }
    query = declared_prompts.get("query", "") if own_prompts.query is None else own_prompts.query
    passage = next((declared_prompts[name] for name in _PASSAGE if declared_prompts.get(name)), "")
    by_default = declared_prompts.get(
        "sentence", declared_prompts.get(declared.default_prompt_name or "")
    )
    sentence = query if own_prompts.query is not None or by_default is None else by_default
    return {
        "query": query,
        "passage": passage if own_prompts.passage is None else own_prompts.passage,
        "sentence": sentence if own_prompts.sentence is None else own_prompts.sentence,
    }


def prompts_file(prompts: PromptsByRole) -> Mapping[str, Any]:
    """The prompts as `config_sentence_transformers.json` has them; the library reads them too."""
    names = {
        "query": prompts["query"],
        "passage": prompts["passage"],
        # The library's own name for it, beside the one that older folders use.
        "document": prompts["passage"],
        "sentence": prompts["sentence"],
    }
    return {"prompts": names, "default_prompt_name": "sentence"}
