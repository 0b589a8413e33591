"""What a file says of itself: nothing, that Brushwork made it, or how as well. And what a file that comes back says.

The words are XMP, with the names that the IPTC gave them; a signature by C2PA goes over all. Nothing here is about a
person: no account, no job, no time. The same picture gets the same bytes.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol
from xml.sax.saxutils import escape

from brushwork import __version__
from brushwork.files.marks import MARKERS, mark

Level = Literal["none", "minimal", "full"]

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
LEARNED = frozenset({"diffusers", "flow", "remote"})
"""Engines whose pictures come out of trained networks; the others compute theirs by rules."""
SOFTWARE = f"Brushwork {__version__}"
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OUR_TOOL = re.compile(rb'xmp:CreatorTool="(Brushwork [^"]{1,40})"')
OUR_SOURCE = re.compile(rb'DigitalSourceType="' + re.escape(SOURCE_TYPES.encode()) + rb'(\w{1,60})"')


@dataclass(frozen=True)
class Making:
    """How a picture came about."""

    engine: str
    is_edit: bool = False
    """Whether parts of it are a picture that came from outside."""
    prompt: str = ""
    seed: int | None = None
    model: str = ""
    recipe: str = ""
    """SHA-256 of the recipe, hex."""

    @property
    def source_type(self) -> str:
        """The IPTC's word for it."""
        if self.engine in LEARNED:
            return "compositeWithTrainedAlgorithmicMedia" if self.is_edit else "trainedAlgorithmicMedia"
        return "compositeSynthetic" if self.is_edit else "algorithmicMedia"


class Signer(Protocol):
    """Signs files by C2PA."""

    def sign(self, data: bytes, kind: str, *, source_type: str) -> bytes: ...

    def sign_file(self, path: Path, kind: str, *, source_type: str) -> None: ...


@dataclass(frozen=True)
class Provenance:
    """What the operator wants files to say."""

    level: Level = "minimal"
    signer: Signer | None = field(default=None, repr=False)

    def stamp(self, data: bytes, kind: str, making: Making) -> bytes:
        """A finished file with what it should say of itself."""
        if self.level == "none" or kind not in MARKERS:
            return data
        marked = io.BytesIO()
        mark(io.BytesIO(data), marked, kind, packet_of(making, self.level))
        if self.signer is None:
            return marked.getvalue()
        return self.signer.sign(marked.getvalue(), kind, source_type=SOURCE_TYPES + making.source_type)

    def stamp_file(self, path: Path, kind: str, making: Making) -> None:
        """The same for a file on disk that is too large for memory."""
        if self.level == "none" or kind not in MARKERS:
            return
        draft = path.with_name(f"{path.name}.marked")
        with path.open("rb") as source, draft.open("w+b") as target:
            mark(source, target, kind, packet_of(making, self.level))
        draft.replace(path)
        if self.signer is not None:
            self.signer.sign_file(path, kind, source_type=SOURCE_TYPES + making.source_type)


SILENT = Provenance("none")


def packet_of(making: Making, level: Level) -> bytes:
    """The XMP packet. At `minimal` it holds the software and the kind of source, and nothing of the request."""
    said = {"xmp:CreatorTool": SOFTWARE, "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + making.source_type}
    if level == "full":
        said |= full(making)
    attributes = "".join(f'\n   {name}="{attribute(text)}"' for name, text in said.items() if text)
    return PACKET.format(attributes=attributes).encode()


def full(making: Making) -> Mapping[str, str]:
    return {
        "Iptc4xmpExt:AIPromptInformation": making.prompt,
        "Iptc4xmpExt:AISystemUsed": f"Brushwork, engine {making.engine}",
        "Iptc4xmpExt:AISystemVersionUsed": __version__,
        "brushwork:seed": "" if making.seed is None else str(making.seed),
        "brushwork:model": making.model,
        "brushwork:recipe": making.recipe,
    }


def attribute(text: str) -> str:
    entities = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return escape(NOT_XML.sub("", text), entities)


PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
   xmlns:xmp="http://ns.adobe.com/xap/1.0/"
   xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   xmlns:brushwork="urn:brushwork:1.0:"{attributes}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Mark:
    """What a file says of itself; anybody can write that into one."""

    software: str
    source_type: str


def mark_in(data: bytes) -> Mark | None:
    """The mark of Brushwork in a file, or None when it has none."""
    tool = OUR_TOOL.search(data)
    if tool is None:
        return None
    source = OUR_SOURCE.search(data)
    return Mark(tool[1].decode("ascii", "replace"), source[1].decode() if source else "")
