"""What is on the medium: files in, File-set and image out.

No network, no devices, nothing of the kiosk.
"""
