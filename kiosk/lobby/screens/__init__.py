"""The lobby's screens, in the order of a visit."""
