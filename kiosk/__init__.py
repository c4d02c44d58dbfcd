"""The appliance: orders in, verified media out."""

__version__ = "0.1.0"
