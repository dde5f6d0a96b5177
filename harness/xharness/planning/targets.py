"""What a study scores: groups spelt out into their tasks, languages chosen in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xharness.errors import ConfigurationError, raise_all, suggestion
from xharness.plugin.catalogue import Catalogue
from xharness.spec.languages import select_languages
from xharness.spec.study import Study, TargetSpec
from xharness.spec.study_document import StudyDocument
from xharness.spec.yaml_nodes import KeyPath


def expanded_targets(
    study: Study, catalogue: Catalogue, document: StudyDocument
) -> Iterator[TargetSpec]:
    """The study's targets, one a task, each checked.

    Raises:
        ConfigurationError: an unknown name, a task twice, or a language that nothing has.
    """
    tasks: set[str] = set()
    errors: list[ConfigurationError] = []
    for number, spec in enumerate(study.targets):
        path = document.target(number, spec)
        try:
            for target in _expanded(spec, path, catalogue, document):
                if target.task in tasks:
                    raise document.error(path, f"target '{target.task}' stands twice in the study")
                tasks.add(target.task)
                yield target
        except ConfigurationError as error:
            errors.append(error)
    raise_all(errors)


def _expanded(
    spec: TargetSpec, path: KeyPath, catalogue: Catalogue, document: StudyDocument
) -> Iterator[TargetSpec]:
    with document.locating(path):
        members = _members(spec, catalogue)
    for target in members:
        if catalogue.card(target.task).role == "corpus":
            raise document.error(
                path, f"'{target.task}' is a corpus, not a task that can be scored"
            )
    for index, word in enumerate(spec.languages or ()):
        # Beside the key `task`, where the path of a target ends that has languages.
        with document.locating((*path[:2], "languages", index)):
            _check_language(members, word, f"{_noun(spec, catalogue)} has no language", catalogue)
    yield from _in_languages(members, spec.languages, catalogue)


def targets_in_languages(
    study: Study, words: Sequence[str], catalogue: Catalogue
) -> tuple[TargetSpec, ...]:
    """The study's targets, one a task, in the languages that `words` choose.

    Raises:
        ConfigurationError: a word that chooses no language of any target.
    """
    targets = [*expanded_targets(study, catalogue, StudyDocument())]
    for word in words:
        _check_language(targets, word, "no target has the language", catalogue)
    return tuple(_in_languages(targets, words, catalogue))


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
    for target in targets:
        if words is None:
            yield target
        # In silence: a word that fits no task at all was refused before.
        elif codes := select_languages(words, _languages(target, catalogue)):
            yield target.model_copy(update={"languages": codes})


def _check_language(
    targets: Sequence[TargetSpec], word: str, complaint: str, catalogue: Catalogue
) -> None:
    """Refuse a language, or a filter, that no target has."""
    codes = {code for target in targets for code in _languages(target, catalogue)}
    if not select_languages([word], codes):
        raise ConfigurationError(f"{complaint} '{word}'", hint=suggestion(word, codes))


def _languages(spec: TargetSpec, catalogue: Catalogue) -> tuple[str, ...]:
    return spec.languages or catalogue.card(spec.task).languages


def _noun(spec: TargetSpec, catalogue: Catalogue) -> str:
    return f"{'group' if spec.task in catalogue.groups.offers else 'task'} '{spec.task}'"
