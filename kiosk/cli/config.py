"""`sendhome config check`: every value with its origin."""

from __future__ import annotations

import argparse
import dataclasses

from dicomdir.viewer import assets
from kiosk import config_file
from kiosk.cli.output import print_rows, print_table


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("config", help="look at the configuration")
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    check = parts.add_parser("check", help="read it, print every value and where it came from")
    check.add_argument("--json", action="store_true", help="as JSON")
    check.set_defaults(run=run_check)
    example = parts.add_parser("example", help="print a complete file with the values in force")
    example.set_defaults(run=run_example)
    words = parts.add_parser(
        "glossary", help="print the words that the viewer explains, to edit for site.glossary"
    )
    words.set_defaults(run=run_glossary)


def run_check(args: argparse.Namespace) -> int:
    from kiosk import bootstrap_paper
    from kiosk.engine_parts import site_of  # slow to import

    path = config_file.find_file(args.config)
    loaded = config_file.load(args.config)
    site_of(loaded.site)  # reads the file that it names
    bootstrap_paper.check(loaded)
    rows = [
        {
            "key": setting.key,
            "value": list(setting.value) if isinstance(setting.value, tuple) else setting.value,
            "origin": setting.origin,
            "meaning": setting.doc,
        }
        for setting in config_file.settings(loaded, str(path))
    ]
    if args.json:
        print_rows(True, rows, ())
    else:
        print_table(
            ("key", "value", "origin", "meaning"),
            [(r["key"], r["value"], r["origin"], r["meaning"]) for r in rows],
        )
    return 0


def run_glossary(_args: argparse.Namespace) -> int:
    print((assets.FOLDER / "GLOSSARY.JS").read_text("utf-8"), end="")
    return 0


def run_example(args: argparse.Namespace) -> int:
    config = config_file.load(args.config)
    shown = config_file.without_password(config.store.database_url)
    store = dataclasses.replace(config.store, database_url=shown)
    print(config_file.to_toml(dataclasses.replace(config, store=store)), end="")
    return 0
