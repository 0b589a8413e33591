"""Reads the flags of a prompt one after the other: known or not, value, duplicates, and words that come too late.

Whether flags fit each other and the version is left to `checks.py`, after all have been read.
"""

import re
from difflib import get_close_matches

from brushwork.errors import PromptValueError
from brushwork.prompts.checks import Written
from brushwork.prompts.findings import Findings, Problem, bad_value, grammar, shown
from brushwork.prompts.parameter import Parameter
from brushwork.prompts.parameters import PARAMETERS, SPELLINGS
from brushwork.prompts.prompt import Task
from brushwork.prompts.refused import REFUSED, REMOVED_IN
from brushwork.prompts.tokens import PUNCTUATION, STRAY, Flag, Marks
from brushwork.prompts.values import READERS
from brushwork.prompts.versions import DEFAULT_VERSION, VIDEO

HAS_PUNCTUATION = re.compile(f"[{PUNCTUATION}]")

SAME_AS = {"style": "raw"}
"""Parameters that are another spelling of one, with a value."""


class FlagReader:
    """Owns what has been read so far. A flag with a problem leaves nothing but the problem."""

    def __init__(self, task: Task, findings: Findings) -> None:
        self.task = task
        self.findings = findings
        self.written: dict[str, Written] = {}
        self.no: dict[str, None] = {}
        """The items of all `--no` lists, in order and once each."""

    @property
    def version(self) -> str:
        if self.task == "video":
            return VIDEO
        for name in ("niji", "version"):
            if name in self.written:
                return str(self.written[name].value)
        return DEFAULT_VERSION

    def read(self, marks: Marks) -> None:
        """Read all flags in reading order; the same flag with the same words is read once."""
        if marks.possible_flag:
            self.findings.warn(
                "possible_flag", f"{shown(marks.possible_flag)} is read as text; write a parameter as in --ar 16:9."
            )
        removed: list[tuple[int, Flag]] = []
        seen = set()
        for flag in marks.flags():
            if flag.repaired_dash or flag.repaired_space or flag.repaired_value:
                self.warn_of_repairs(flag)
            key = f"{flag.name} {flag.body}"
            if key in seen:
                continue
            seen.add(key)
            if flag.name in REMOVED_IN:
                removed.append((len(self.findings.problems), flag))
            else:
                self.read_flag(flag)
            if self.findings.is_full:
                break
        for position, flag in reversed(removed):
            self.findings.problems.insert(position, self.not_known(flag))

    def warn_of_repairs(self, flag: Flag) -> None:
        if flag.repaired_dash and not self.findings.has_warned("dash_normalized"):
            self.findings.warn("dash_normalized", f"A typographic dash was read as two hyphens: {short(flag)}.")
        if flag.repaired_space and not self.findings.has_warned("missing_space"):
            self.findings.warn("missing_space", f"A space was added before {short(flag)}.")
        if flag.repaired_value == "=":
            self.findings.warn("equals_sign", f"The = after {short(flag)} was read as a space.", short(flag))
        elif flag.repaired_value:
            self.warn_of_punctuation(flag)

    def warn_of_punctuation(self, flag: Flag) -> None:
        self.findings.warn("trailing_punctuation", f"Punctuation at the end of {short(flag)} was removed.", short(flag))

    def read_flag(self, flag: Flag) -> None:
        parameter = SPELLINGS.get(flag.name)
        if parameter is None or self.is_for_videos_only(parameter):
            self.findings.refuse(self.not_known(flag))
            return
        words = self.words_of(flag, parameter)
        if not words and parameter.bare is None:
            self.findings.refuse(
                bad_value("missing_value", f"{short(flag)} needs a value; possible is {parameter.values}.", short(flag))
            )
            return
        try:
            value, used = READERS[parameter.kind](words, parameter)
        except PromptValueError as error:
            self.findings.refuse(bad_value(error.code, f"{short(flag)}: {error.message}", short(flag)))
            return
        self.keep(flag, parameter, value)
        if used < len(words):
            self.findings.refuse(
                grammar(
                    "text_after_parameters",
                    f"{shown(' '.join(words[used:]))} comes after {short(flag)}; all words come before the parameters.",
                    short(flag),
                )
            )

    def is_for_videos_only(self, parameter: Parameter) -> bool:
        return self.task == "image" and parameter.versions == {VIDEO} and self.task not in parameter.ignored_on

    def words_of(self, flag: Flag, parameter: Parameter) -> list[str]:
        """The words after the flag, without the punctuation that ends them by mistake."""
        body = flag.body.rstrip(" ")
        ended = body.rstrip(STRAY)
        words = ended.split()
        if ended != body:
            self.warn_of_punctuation(flag)
        if parameter.kind != "list" and HAS_PUNCTUATION.search(ended):
            clean = [word.rstrip(STRAY) for word in words]
            if clean != words:
                self.warn_of_punctuation(flag)
                words = [word for word in clean if word]
        return words

    def keep(self, flag: Flag, parameter: Parameter, value: object) -> None:
        """The first value wins, the lists of `--no` merge."""
        name = SAME_AS.get(parameter.name, parameter.name)
        if name == "no" and isinstance(value, tuple):
            self.no.update(dict.fromkeys(value))
            self.written.setdefault(name, Written(parameter, short(flag), None))
        elif name not in self.written:
            self.written[name] = Written(PARAMETERS[name], short(flag), value)
        elif self.written[name].value != value and not self.findings.has_warned("duplicate_parameter", short(flag)):
            self.findings.warn(
                "duplicate_parameter",
                f"{short(flag)} is given again with another value; the first one holds.",
                short(flag),
            )

    def not_known(self, flag: Flag) -> Problem:
        """The error for a flag that is refused or that nobody knows."""
        param = short(flag)
        refused = REFUSED.get(flag.name)
        if self.version in REMOVED_IN.get(flag.name, ()):
            return grammar("unsupported_for_version", f"{param} was removed in version {self.version}.", param)
        if refused:
            return grammar("unsupported_parameter", f"{param} is not supported: {refused.reason}.", param)
        if flag.name in SPELLINGS:
            return grammar("unsupported_parameter", f"{param} is only for videos; use a video endpoint.", param)
        return grammar("unknown_parameter", f"{param} is not a parameter{self.hint(flag.name)}.", param)

    def hint(self, name: str) -> str:
        """What was probably meant by `--s100`, `--AR:16:9` or `--stylise`."""
        letters = name[: next((i for i, character in enumerate(name) if not character.isalpha()), len(name))]
        if letters in SPELLINGS and letters != name:
            return f"; a space belongs after --{letters}"
        if self.findings.problems or not SHORTEST_GUESS <= len(name) <= LONGEST_GUESS:
            return ""  # one guess a prompt: comparing takes longer than reading
        offered = [name for name, parameter in SPELLINGS.items() if not self.is_for_videos_only(parameter)]
        near = get_close_matches(name, offered, n=1, cutoff=0.75)
        return f"; the nearest is --{near[0]}" if near else ""


def short(flag: Flag) -> str:
    """The flag with its dashes, as errors and warnings name it."""
    return flag.param if len(flag.name) <= LONGEST_NAME else f"{flag.param[:LONGEST_NAME]}…"


LONGEST_NAME = 64
"""Letters of an unknown name that an error repeats."""

SHORTEST_GUESS, LONGEST_GUESS = 4, 20
"""Letters of an unknown name that is worth a guess."""
