"""An app of ours as a page on this machine: for touch, in one browser that shows nothing else."""
