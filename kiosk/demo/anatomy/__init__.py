"""Pixels of invented bodies from ellipses, tubes and seeded noise: numpy only, no DICOM in here.

Patient coordinates are DICOM's, in mm: x to the left, y to the back, z to the head
(PS3.3 C.7.6.2.1.1).
"""
