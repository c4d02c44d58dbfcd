"""Getting an image onto a medium: drives, discs and sticks.

Knows no DICOM and nothing of the kiosk.
"""
