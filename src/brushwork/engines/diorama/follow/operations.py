"""Which function does which operation."""

from collections.abc import Mapping

from brushwork.engines.base import Op
from brushwork.engines.diorama.follow.vary import varied
from brushwork.engines.diorama.rows import Operation

OPERATIONS: Mapping[Op, Operation] = {
    Op.VARY: varied,
}
