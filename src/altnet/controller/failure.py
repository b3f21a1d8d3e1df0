"""How an action of ours says no: every problem once, each on a line of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail

from altnet.errors import Problem


class Refusal(AnsibleActionFail):  # type: ignore[misc]
    """Ends a task as failed, with all problems in ``msg`` under one headline.

    ``headline`` says what was (not) done; how many problems there are is put before it. ``result`` is what the
    task returns besides.
    """

    def __init__(self, found: Sequence[Problem | str], headline: str, result: dict[str, Any] | None = None) -> None:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        super().__init__("\n".join([f"{count}; {headline}:", *map(str, found)]), result=result)

    @property
    def omit_exception_key(self) -> bool:
        """True: else Ansible prints the same text a second time, around an excerpt of the playbook."""
        return True


def all_in_one(found: Iterable[Problem], everybody: int) -> list[str]:
    """Return the problems as lines; those that differ only in the host become one line with all its hosts.

    ``everybody`` is the number of hosts there are: a line about that many names none.
    """
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for problem in found:
        hosts.setdefault((problem.variable, problem.what, problem.remedy), []).append(problem.host)
    return [named(names, everybody, Problem("", *rest)) for rest, names in hosts.items()]


#: How many hosts a line names before it only counts them.
NAMED_MAX = 5


def named(names: Sequence[str], everybody: int, problem: Problem) -> str:
    """Return one problem's line for all hosts ``names`` that have it."""
    if names == [""]:
        return str(problem)
    if len(names) == 1:
        where = f"host {names[0]}"
    elif len(names) == everybody > NAMED_MAX:
        where = f"all {everybody} hosts"
    else:
        more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
        where = f"hosts {', '.join(names[:NAMED_MAX])}{more}"
    return f"{where}: {problem.variable}: {problem.what}. Remedy: {problem.remedy}."


def last_line(result: Mapping[str, Any]) -> str:
    """Return the line of a failed result that says why: the last one, for ssh and Python both warn before it."""
    for key in ("module_stderr", "msg", "module_stdout"):
        lines = [line.strip() for line in str(result.get(key) or "").splitlines() if line.strip()]
        if lines:
            return re.sub(r"^(Task failed: )?(.* ssh: (?=ssh: )|.* via ssh: )?", "", lines[-1]).rstrip(".")
    return "no reason given"
