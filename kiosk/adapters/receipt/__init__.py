"""Receipt printers: ESC/POS on a device file or over TCP, any other printer through CUPS.

raster.py   letters that the printer does not have itself, and the QR code, as pictures
encode.py   a paper as ESC/POS bytes
link.py     the way to the printer, with a time limit on everything
status.py   what the printer says of itself
printer.py  the printers
slip.py     what a printer makes of the bytes; simulated.py: one that is a folder, behind such a way
"""
