"""What was found wrong or odd while a prompt is read, in reading order. The first problem decides the answer.

Knows nothing of the grammar: the other chapters say what to find.
"""

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.prompt import Warning  # noqa: A004  # the prompt language's own word

MOST_PROBLEMS = 10
"""Enough for a person to repair a prompt; reading stops here."""

SHOWN = 60
"""Characters of a given value that a message repeats."""

Problem = PromptGrammarError | PromptValueError


def shown(given: str) -> str:
    """The value as a message repeats it: in quotes and not too long."""
    return f'"{given}"' if len(given) <= SHOWN else f'"{given[:SHOWN]}…"'


def grammar(code: str, message: str, param: str | None = None) -> PromptGrammarError:
    """A 400. `param` is left out of the detail where no flag is to blame."""
    return PromptGrammarError(code, message, param=param) if param else PromptGrammarError(code, message)


def bad_value(code: str, message: str, param: str | None = None) -> PromptValueError:
    """A 422. `param` is left out of the detail where no flag is to blame."""
    return PromptValueError(code, message, param=param) if param else PromptValueError(code, message)


class Findings:
    """Problems and warnings of one prompt."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: dict[tuple[str, str | None], Warning] = {}

    def refuse(self, problem: Problem) -> None:
        self.problems.append(problem)

    def warn(self, code: str, message: str, param: str | None = None) -> None:
        """Note something that was repaired, snapped or ignored; once for each code and flag."""
        if (code, param) not in self.warnings:
            self.warnings[code, param] = Warning(code, message, param)

    def has_warned(self, code: str, param: str | None = None) -> bool:
        """Whether this warning is there already: saves the work of saying it again."""
        return (code, param) in self.warnings

    @property
    def is_full(self) -> bool:
        return len(self.problems) >= MOST_PROBLEMS

    def settle(self, *, strict: bool) -> tuple[Warning, ...]:
        """Raise the first problem, with the others in its detail; otherwise give the warnings."""
        if self.problems:
            first, *others = self.problems
            if others:
                first.detail["problems"] = [
                    {"code": other.code, "message": other.message, "param": other.detail.get("param")}
                    for other in others
                ]
            raise first
        warnings = tuple(self.warnings.values())
        if strict and warnings:
            raise grammar(warnings[0].code, warnings[0].message, warnings[0].param)
        return warnings
