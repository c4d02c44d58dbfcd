"""What is on a finished image, counted by kind while its check reads it."""

from __future__ import annotations

from dicomdir.instance import Instance
from dicomdir.profile import IMAGE, RECORD_TYPES, WRITTEN_REPORTS


class Tally:
    """Counts objects of one image."""

    def __init__(self) -> None:
        self.total = self.images = self.reports = 0

    def add(self, instance: Instance) -> None:
        uid = instance.sop_class_uid
        self.total += 1
        self.images += RECORD_TYPES.get(uid) == IMAGE
        self.reports += uid in WRITTEN_REPORTS
