"""The builder: a child process that turns a job's objects into a checked image.

It parses hostile objects under resource limits, so that at worst a build fails, never the engine.
`python -m kiosk.builder` reads one request as a JSON line on stdin and answers in JSON lines on
stdout; no patient data stands in its arguments, its environment or its error texts.
"""
