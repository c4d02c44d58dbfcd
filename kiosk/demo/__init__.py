"""The demo: invented patients, their studies, and an archive process that serves them.

`people.demo_people` says whom one can be, `studies.ensure_studies` makes the studies,
`launch.start_archive` runs the archive (`python -m kiosk.demo.archive`).
"""
