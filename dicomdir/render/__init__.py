"""Pictures of an object's pixels for people: 8 bits, at the study's own window; JPEG and icon.

Input is the object as it stands on the medium: uncompressed, Explicit VR Little Endian. It is
hostile: what cannot be shown raises RenderError, whatever it is. Memory is bounded by the size of
the picture, not of the image: large images are reduced while they are read.
"""
