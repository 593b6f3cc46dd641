"""Reads playbooks: YAML in, a checked Playbook out, or every problem at once.

    playbook = parse_playbook(text)          # raises InvalidPlaybook, listing all problems
    buyer = default_playbook("buyer")        # one of the two that ship with the package

Each kind of rule has its own set of keys; a key that no reader takes is refused with the
nearest known one. The reading never stops at the first problem.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from .errors import InvalidPlaybook
from .playbook_fields import RuleReader
from .playbook_yaml import Fields, Items, Problems, read_yaml
from .rules import AllowedValues, ForbiddenClause, Limit, Playbook, RequiredClause, Rule, RuleTest, Side, TextCue
from .types import FactName

__all__ = ["DEFAULT_PLAYBOOKS", "Playbook", "Rule", "default_playbook", "default_playbook_text", "parse_playbook"]

DEFAULT_PLAYBOOKS = ("buyer", "vendor")
"""The names of the playbooks that ship with the package; a tenant starts with them."""

MAX_RULES = 200

_FOLDER = Path(__file__).resolve().parent / "playbooks"


def parse_playbook(text: str) -> Playbook:
    """Read and check a playbook.

    raises   InvalidPlaybook (422) with every problem found: its line, field, value and remedy
    """
    problems = Problems()
    tree = read_yaml(text, problems)
    if tree is not None and not isinstance(tree, Fields):
        problems.add(tree.line, "", "a playbook is a mapping with the keys name, title, side and rules.")
    playbook = _playbook(tree, problems) if isinstance(tree, Fields) else None
    if playbook is None or problems.found:
        raise InvalidPlaybook(tuple(sorted(problems.found, key=lambda problem: problem.line)))
    return playbook


def default_playbook_text(name: str) -> str:
    """The YAML of a playbook that ships with the package; raises LookupError for another name."""
    if name not in DEFAULT_PLAYBOOKS:
        raise LookupError(f"There is no default playbook {name!r}; there are {' and '.join(DEFAULT_PLAYBOOKS)}.")
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


@lru_cache(maxsize=len(DEFAULT_PLAYBOOKS))
def default_playbook(name: str) -> Playbook:
    """A playbook that ships with the package; raises LookupError for another name."""
    return parse_playbook(default_playbook_text(name))


def _playbook(tree: Fields, problems: Problems) -> Playbook | None:
    reader = RuleReader(tree, "", problems)
    name, title, side = reader.identifier("name"), reader.text("title", most=120), reader.choice("side", Side)
    description = reader.text("description", most=1000, is_required=False)
    rules = _rules(reader, problems)
    reader.refuse_others()
    if name is None or title is None or side is None or not rules:
        return None
    return Playbook(name, title, side, rules, description or "")


def _rules(reader: RuleReader, problems: Problems) -> tuple[Rule, ...]:
    entries = reader.take("rules")
    if not isinstance(entries, Items) or not entries.values:
        line = reader.line if entries is None else entries.line
        problems.add(line, "rules", "a playbook needs a list of at least one rule.")
        return ()
    if len(entries.values) > MAX_RULES:
        message = f"{len(entries.values)} rules; a playbook has at most {MAX_RULES}. Split it in two."
        problems.add(entries.line, "rules", message)
        return ()
    rules, lines = list[Rule](), dict[str, int]()
    for place, entry in enumerate(entries.values):
        if not isinstance(entry, Fields):
            problems.add(entry.line, f"rules[{place}]", "a rule is a mapping that begins with - id: ...")
            continue
        rule = _rule(RuleReader(entry, f"rules[{place}]", problems))
        if rule is None:
            continue
        if rule.id in lines:
            message = f"{rule.id!r} is already the id of the rule on line {lines[rule.id]}. Choose another."
            problems.add(entry.line, f"rules[{place}].id", message)
        lines[rule.id] = entry.line
        rules.append(rule)
    return tuple(rules)


def _rule(reader: RuleReader) -> Rule | None:
    kind = reader.choice_of("kind", tuple(_TESTS))
    identity, severity = reader.identifier("id"), reader.severity()
    title, why = reader.text("title", most=120), reader.text("why", least=20, most=1000)
    category = reader.category()
    suggestion = reader.text("suggestion", most=4000, is_required=False)
    applies_to = reader.applies_to()
    test = _TESTS[kind](reader) if kind else None
    if kind:
        reader.refuse_others()
    if identity is None or severity is None or title is None or why is None or test is None:
        return None
    return Rule(identity, severity, title, why, test, category, suggestion, applies_to)


def _required(reader: RuleReader) -> RuleTest | None:
    cues, looks_for = reader.cues("cues"), reader.text("looks_for", most=300, is_required=False)
    if not reader.has("cues") and not reader.has("category"):
        return reader.complain("a required rule needs a category, or cues that show that the clause is there.")
    if not reader.has("looks_for") and not reader.has("category"):
        return reader.complain('a required rule without a category needs looks_for, such as "a duty to insure".')
    return RequiredClause(cues, looks_for)


def _forbidden(reader: RuleReader) -> RuleTest | None:
    cues, unless = reader.cues("cues"), reader.cues("unless")
    if not reader.has("category"):
        return reader.complain("a forbidden rule needs a category. For a wording without one, use kind: cue.")
    return ForbiddenClause(cues, unless)


def _limit(reader: RuleReader) -> RuleTest | None:
    fact = reader.choice("fact", FactName, is_required=False)
    at_least, at_most = reader.quantity("at_least"), reader.quantity("at_most")
    cues = reader.cues("cues")
    if not reader.has("at_least") and not reader.has("at_most"):
        return reader.complain("a limit rule needs at_least or at_most, such as at_most: 12 months.")
    if at_least and at_most and (at_least.unit is not at_most.unit or at_least.amount > at_most.amount):
        return reader.complain("at_least and at_most need the same unit, and at_least the smaller amount.")
    if not (reader.has("fact") or cues or reader.has("category")):
        return reader.complain("a limit rule needs a fact, cues or a category to know what to measure.")
    return Limit(fact, at_least, at_most, cues)


def _allowed(reader: RuleReader) -> RuleTest | None:
    fact = reader.choice("fact", FactName)
    allowed, refused = reader.texts("allowed"), reader.texts("refused")
    if bool(allowed) == bool(refused):
        return reader.complain("an allowed rule needs a list: either allowed or refused, not both.")
    return AllowedValues(fact, allowed, refused) if fact else None


def _cue(reader: RuleReader) -> RuleTest | None:
    any_of, unless, elsewhere = reader.cues("any_of"), reader.cues("unless"), reader.cues("unless_elsewhere")
    within = reader.categories("within")
    if not reader.has("any_of"):
        return reader.complain("a cue rule needs any_of, a list of wordings to look for.")
    return TextCue(any_of, unless, elsewhere, within) if any_of else None


_TESTS: dict[str, Callable[[RuleReader], RuleTest | None]] = {
    "required": _required,
    "forbidden": _forbidden,
    "limit": _limit,
    "allowed": _allowed,
    "cue": _cue,
}
