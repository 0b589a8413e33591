"""`python -m brushwork` is the `brushwork` command."""

from brushwork.cli import main

main()
