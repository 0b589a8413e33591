"""From a row to the numbers of the denoising loop: sizes, steps, words, pictures, and the truth about all of it.

`building.py` is the way in; `parameters.py` says what becomes of each prompt parameter, `operations.py` what each
operation draws. Imports no torch.
"""

from brushwork.engines.diffusion.planning.building import passes, plan_row
from brushwork.engines.diffusion.planning.choosing import can_do, model_for
from brushwork.engines.diffusion.planning.finishing import finish
from brushwork.engines.diffusion.planning.recipes import recipe_of
from brushwork.engines.diffusion.planning.told import params_of
from brushwork.engines.diffusion.planning.tools import Tools

__all__ = ["Tools", "can_do", "finish", "model_for", "params_of", "passes", "plan_row", "recipe_of"]
