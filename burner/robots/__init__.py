"""Disc robots: machines that burn, check, print and put out discs by themselves.

Each is reached through a folder that its vendor's service watches on a Windows PC. `robot` has the
one interface, `primera` and `epson` keep it, `recorder` makes one disc with any of them.
"""
