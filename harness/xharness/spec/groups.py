"""Groups of tasks that a study may name in place of a task.

A card says which groups it is in (`groups: [xtreme-r]`). `groups.yaml` says what no card can: a
group's title, the families of an official score, and tasks of which some languages count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from xharness.errors import suggestion
from xharness.spec.fields import Name, Strict
from xharness.spec.languages import LanguageCode


def _member(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


class GroupMember(Strict):
    """A task of a group, in some of its languages."""

    task: Name
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="default: all of the card's"
    )


class TaskGroup(Strict):
    """A named group of tasks; a benchmark with an official score has families."""

    title: str
    tasks: tuple[Annotated[GroupMember, BeforeValidator(_member)], ...] = Field(
        default=(),
        description="tasks that count in some languages, or whose cards do not name the group",
    )
    families: dict[Name, tuple[Name, ...]] = Field(
        default={}, description="the task groups that a benchmark's official score averages"
    )

    def with_members(self, cards: Iterable[str]) -> TaskGroup:
        """This group with `cards` among its tasks: families first, the order that tables have.

        Raises:
            ValueError: a family names a task that is no member, or the group has none.
        """
        members = {name: GroupMember(task=name) for name in sorted(cards)}
        # What the group says of a task, such as its languages, comes over the card's bare word.
        members |= {member.task: member for member in self.tasks}
        order = [task for tasks in self.families.values() for task in tasks]
        for task in order:
            if task not in members:
                hint = suggestion(task, members)
                raise ValueError(f"a family names '{task}', which is no member; {hint}")
        if not members:
            raise ValueError("no card names this group under 'groups'")
        tasks = tuple(members[name] for name in dict.fromkeys((*order, *members)))
        return self.model_copy(update={"tasks": tasks})


class TaskGroups(Strict):
    """The file `groups.yaml` of a folder of cards."""

    groups: dict[Name, TaskGroup]
