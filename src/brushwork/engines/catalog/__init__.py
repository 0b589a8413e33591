"""Which models there are: a declarative list, what an operator adds to it, and the files on this machine.

Knows no engine, and imports neither torch nor diffusers.
"""
