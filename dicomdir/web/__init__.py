"""INDEX.HTM and the pages and pictures in IHE_PDI (PDI-07 to PDI-19).

XHTML Basic without script and style sheets: it reads the same in every browser of the last thirty
years, on a phone, on paper and aloud. Every text that came out of DICOM passes `shown`, which
leaves nothing that could be markup, a control sequence or a trick with writing directions; the
pages are pure ASCII.
"""

from dicomdir.web.content import WebContent, WebPages
from dicomdir.web.contents import contents
from dicomdir.web.markup import CONTENTS_PAGE, GENERATOR, LinkCase, page
from dicomdir.web.start import MediumPart, PageLink, index
from dicomdir.web.text import shown

__all__ = [
    "CONTENTS_PAGE",
    "GENERATOR",
    "LinkCase",
    "MediumPart",
    "PageLink",
    "WebContent",
    "WebPages",
    "contents",
    "index",
    "page",
    "shown",
]
