"""`sendhome config check`: every value with its origin."""

from __future__ import annotations

import argparse

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


def run_check(args: argparse.Namespace) -> int:
    path = config_file.find_file(args.config)
    loaded = config_file.load(args.config)
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


def run_example(args: argparse.Namespace) -> int:
    print(config_file.to_toml(config_file.load(args.config)), end="")
    return 0
