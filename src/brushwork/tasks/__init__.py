"""③ What can be asked, one file a task type, in the order of the reference."""

from collections.abc import Mapping

from brushwork.tasks.base import Task
from brushwork.tasks.blend import Blend
from brushwork.tasks.describe import Describe
from brushwork.tasks.diffusion import Diffusion
from brushwork.tasks.edit import Edit
from brushwork.tasks.enhance import Enhance
from brushwork.tasks.enhance_upscale import EnhanceUpscale
from brushwork.tasks.extend_video import ExtendVideo
from brushwork.tasks.inpaint import Inpaint
from brushwork.tasks.outpaint import Outpaint
from brushwork.tasks.pan import Pan
from brushwork.tasks.remix import Remix
from brushwork.tasks.remove_background import RemoveBackground
from brushwork.tasks.reroll import Reroll
from brushwork.tasks.retexture import Retexture
from brushwork.tasks.shorten import Shorten
from brushwork.tasks.upload_paint import UploadPaint
from brushwork.tasks.upscale import Upscale
from brushwork.tasks.variation import Variation
from brushwork.tasks.video_diffusion import VideoDiffusion
from brushwork.tasks.video_upscale import VideoUpscale

TASKS: Mapping[str, type[Task]] = {
    task.name: task
    for task in (
        Diffusion,  # a new task type is its file and its line here
        Variation,
        Upscale,
        Reroll,
        Blend,
        Describe,
        Shorten,
        Pan,
        Outpaint,
        Inpaint,
        Remix,
        Edit,
        UploadPaint,
        Retexture,
        RemoveBackground,
        Enhance,
        EnhanceUpscale,
        VideoDiffusion,
        ExtendVideo,
        VideoUpscale,
    )
}
