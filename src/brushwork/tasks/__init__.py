"""③ What can be asked, one file a task type, in the order of the reference."""

from collections.abc import Mapping

from brushwork.tasks.base import Task
from brushwork.tasks.diffusion import Diffusion

TASKS: Mapping[str, type[Task]] = {
    task.name: task
    for task in (
        Diffusion,  # a new task type is its file and its line here
    )
}
