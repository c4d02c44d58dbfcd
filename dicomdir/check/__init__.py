"""Findings on a File-set, a folder or an image; the same rules for our media and foreign ones."""
