"""What contract intelligence refuses.

RunNotFinished    409 run_not_finished: the report does not exist yet
ContractClosed    409 contract_closed: these bytes are a contract that the caller may not read
ReasonMissing     422 reason_missing: a dismissal or an edit without a reason
StalePlaybook     409 stale_playbook: someone saved a newer version meanwhile
InvalidPlaybook   422 invalid_playbook: every problem with its line, field and remedy
"""

from typing import TYPE_CHECKING

from mainspring.foundation.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from .playbook_yaml import Problem


class RunNotFinished(Conflict):
    """There is no report yet, or there never will be: the detail says which."""

    code = "run_not_finished"


class ContractClosed(Conflict):
    """The same bytes are a contract already, and the caller is none of its readers."""

    code = "contract_closed"


class ReasonMissing(InvalidInput):
    """Dismissing and editing are explained to whoever reads the report later."""

    code = "reason_missing"


class StalePlaybook(Conflict):
    """The playbook was changed since it was read."""

    code = "stale_playbook"


class InvalidPlaybook(InvalidInput):
    """The YAML is not a playbook; `problems` lists all that is wrong, in order of lines."""

    code = "invalid_playbook"

    def __init__(self, problems: "tuple[Problem, ...]") -> None:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        shown = "\n".join(str(problem) for problem in problems[:50])
        rest = f"\nand {len(problems) - 50} more" if len(problems) > 50 else ""
        super().__init__(f"The playbook was not saved; it has {count}:\n{shown}{rest}")
        self.problems = problems
        self.places = tuple((f"line {problem.line}", str(problem)) for problem in problems)
