"""VIEWER/ on a medium: a lossless copy of the pixels for a page without a server, and that page.

The DICOM objects stay the record. docs/viewer-format.md is the contract with the page.
"""
