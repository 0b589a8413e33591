"""What may not be asked: an operator's policy, and where a text goes against it. Pure: text in, match out.

asked.py        which part of a text asks for something: no URLs, no list of unwanted things
letters.py      a text in plain letters, and where each stood; look_alikes.py is its table
readings.py     what else a letter, a digit or a sign may be read as: "0" is o or u
words.py        where words of a list stand in plain letters, however they are cut and drawn out
policy.py       the file of an operator, and the first place where a text goes against it
"""

from brushwork.prompts.moderation.policy import Match, Policy, PolicyError, Rule, read_policy

__all__ = ["Match", "Policy", "PolicyError", "Rule", "read_policy"]
