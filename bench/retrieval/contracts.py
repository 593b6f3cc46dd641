"""The labelled contracts, the 41 questions about them, and questions that no contract answers."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

FIELDS = ("Document Name", "Parties", "Agreement Date")
"""Categories that are facts rather than clauses."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that lawyers labelled."""

    category: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with its labels; offsets count characters of its text."""

    name: str
    content: bytes
    marks: tuple[Mark, ...]
    is_held_out: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of clause that is asked for. The description is a question, as the data set has it."""

    name: str
    description: str

    def question(self, form: str) -> str:
        """`name` is the bare name, `described` the description alone, `asked` both, as the data set asks."""
        match form:
            case "name":
                return self.name
            case "described":
                return self.description
            case _:
                return f"{self.name}: {self.description}"


def read_contracts(folder: Path, limit: int) -> tuple[Contract, ...]:
    """In order of name; every second one is held out: nothing was chosen by looking at it."""
    rows = [json.loads(line) for line in (folder / "annotations.jsonl").read_text("utf-8").splitlines()]
    return tuple(
        Contract(
            row["id"],
            (folder / "txt" / f"{row['id']}.txt").read_bytes(),
            tuple(Mark(mark["category"], mark["start"], mark["end"]) for mark in row["labels"]),
            is_held_out=place % 2 == 1,
        )
        for place, row in enumerate(sorted(rows, key=lambda row: row["id"])[:limit])
    )


def read_categories(folder: Path) -> tuple[Category, ...]:
    """All 41, in the order of the data set."""
    with (folder / "categories.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Category(row["category"], " ".join(row["description"].split())) for row in csv.DictReader(lines))


ELSEWHERE = (
    "How do I bake a sourdough bread at home?",
    "What is the best recipe for pasta carbonara?",
    "How many eggs go into a sponge cake?",
    "How long should I roast a chicken?",
    "What can I use instead of butter in cookies?",
    "How do I make a vegan lasagne?",
    "Which spices go well with lamb?",
    "How do I keep basil fresh?",
    "What temperature should oil have for frying potatoes?",
    "How is miso soup made?",
    "Who won the football world cup in 2014?",
    "What is the offside rule?",
    "How many players are on a football team?",
    "Which club did the striker join after Barcelona?",
    "When is a penalty kick awarded?",
    "Who scored the most goals in the Champions League?",
    "How long is a marathon?",
    "Who holds the record for the 100 metres sprint?",
    "How does scoring work in tennis?",
    "What is a googly in cricket?",
    "What time does the train to Munich leave?",
    "Is it going to rain in Lisbon tomorrow?",
    "How do I get from the airport to the city centre by bus?",
    "Which vaccinations do I need for Kenya?",
    "What is the highest mountain in Africa?",
    "How far is the moon from the earth?",
    "Why is the sky blue?",
    "How do vaccines work?",
    "What do penguins eat?",
    "How old do elephants get?",
    "How do I train a puppy not to bite?",
    "When should I prune roses?",
    "How often do tomatoes need water?",
    "What makes leaves turn red in autumn?",
    "How do I tune a guitar?",
    "Who composed the Ninth Symphony?",
    "Who painted the Mona Lisa?",
    "What is the plot of Hamlet?",
    "Which film won the Oscar for best picture last year?",
    "How do I solve a Rubik's cube?",
    "What is the derivative of sine?",
    "How do I reverse a linked list in Python?",
    "What does the HTTP status code 404 mean?",
    "How do I reset my router's password?",
    "Why does my laptop fan make so much noise?",
    "How do I remove a red wine stain?",
    "What is a good workout for the back?",
    "How many hours should a baby sleep?",
    "What helps against a headache?",
    "How do I fold a fitted sheet?",
    "When did the Roman Empire fall?",
    "Who was the first person on the moon?",
    "What is the capital of Mongolia?",
    "How many strings does a violin have?",
    "What colour do you get from mixing blue and yellow?",
    "How do I say good morning in Japanese?",
    "What is the boiling point of water on Mount Everest?",
    "Which dinosaur was the largest?",
    "How do I change a bicycle tyre?",
    "What is the meaning of life?",
)
"""Recipes, football and the like. The floor was chosen by looking at every second one, the first included."""
