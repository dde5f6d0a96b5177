"""What a study scores: groups spelt out into their tasks, languages chosen in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.catalogue import Catalogue
from xharness.spec.languages import select_languages
from xharness.spec.study import Study, TargetSpec
from xharness.spec.study_document import StudyDocument


def expanded_targets(
    study: Study, catalogue: Catalogue, places: StudyDocument
) -> Iterator[TargetSpec]:
    """The study's targets, one a task, each checked.

    Raises:
        ConfigurationError: an unknown name, a task twice, or a language that nothing has.
    """
    seen: set[str] = set()
    for number, spec in enumerate(study.targets):
        path = places.target(number, spec)
        with places.locating(path):
            whole = _members(spec, catalogue)
        for one in whole:
            if catalogue.card(one.task).role == "corpus":
                raise places.error(path, f"'{one.task}' is a corpus, not a task that can be scored")
        for place, word in enumerate(spec.languages or ()):
            with places.locating((*path[:2], "languages", place)):
                _check(whole, word, f"{_noun(spec, catalogue)} has no language", catalogue)
        for one in _in_languages(whole, spec.languages, catalogue):
            if one.task in seen:
                raise places.error(path, f"target '{one.task}' stands twice in the study")
            seen.add(one.task)
            yield one


def targets_in_languages(
    study: Study, words: Sequence[str], catalogue: Catalogue
) -> tuple[TargetSpec, ...]:
    """The study's targets, one a task, in the languages that `words` choose.

    Raises:
        ConfigurationError: a word that chooses no language of any target.
    """
    whole = [*expanded_targets(study, catalogue, StudyDocument())]
    for word in words:
        _check(whole, word, "no target has the language", catalogue)
    return tuple(_in_languages(whole, words, catalogue))


def _members(spec: TargetSpec, catalogue: Catalogue) -> list[TargetSpec]:
    """One target for each task that `spec` names, in all the languages it may be scored in."""
    return [
        spec.model_copy(update={"task": member.task, "languages": member.languages})
        for member in catalogue.members(spec.task)
    ]


def _in_languages(
    targets: Iterable[TargetSpec], words: Sequence[str] | None, catalogue: Catalogue
) -> Iterator[TargetSpec]:
    """Targets in those of their languages that are chosen; members of a group differ in them."""
    for one in targets:
        if words is None:
            yield one
        elif codes := select_languages(words, _languages(one, catalogue)):
            yield one.model_copy(update={"languages": codes})


def _check(targets: Sequence[TargetSpec], word: str, none_has: str, catalogue: Catalogue) -> None:
    """Refuse a language, or a filter, that no target has."""
    known = {code for one in targets for code in _languages(one, catalogue)}
    if not select_languages([word], known):
        raise ConfigurationError(f"{none_has} '{word}'", hint=suggestion(word, known))


def _languages(spec: TargetSpec, catalogue: Catalogue) -> tuple[str, ...]:
    return spec.languages or catalogue.card(spec.task).languages


def _noun(spec: TargetSpec, catalogue: Catalogue) -> str:
    return f"{'group' if spec.task in catalogue.groups.offers else 'task'} '{spec.task}'"
