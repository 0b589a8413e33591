"""Which function does which operation. A new picture without references is the engine's own."""

from collections.abc import Mapping

from brushwork.engines.base import Op
from brushwork.engines.diorama.follow.blend import blended
from brushwork.engines.diorama.follow.references import referred
from brushwork.engines.diorama.follow.repaint import repainted
from brushwork.engines.diorama.follow.retexture import retextured
from brushwork.engines.diorama.follow.upscale import enhanced, upscaled
from brushwork.engines.diorama.follow.vary import varied
from brushwork.engines.diorama.rows import Operation

OPERATIONS: Mapping[Op, Operation] = {
    Op.TEXT_TO_IMAGE: referred,
    Op.VARY: varied,
    Op.INPAINT: repainted,
    Op.BLEND: blended,
    Op.RETEXTURE: retextured,
    Op.UPSCALE: upscaled,
    Op.ENHANCE: enhanced,
}
