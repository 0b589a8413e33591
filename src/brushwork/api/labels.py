"""Names, descriptions and notes as fields of a body: with a limit, and without characters that nobody sees."""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field

from brushwork.accounts.labels import fit_name, visible

Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(fit_name)]
Description = Annotated[str, Field(max_length=200), AfterValidator(visible)]
Note = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(partial(visible, breaks="\n\r\t"))]
