"""`sendhome decrypt`: a password-protected medium back into a plain one."""

from __future__ import annotations

import argparse
import errno
from pathlib import Path

from kiosk.cli.options import whole_number
from kiosk.cli.output import print_json, print_table, progress
from kiosk.cli.passwords import read_password
from kiosk.errors import (
    DamagedMediumError,
    InvalidValueError,
    SpoolFullError,
    UnsupportedProtectionError,
    WrongPasswordError,
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "decrypt",
        help="restore a password-protected medium into a plain folder",
        description="SOURCE is a folder (a mounted medium or a copy of it), an ISO image or the "
        "device node of a drive. Every file is checked; DIR appears when all of them are sound, "
        "or not at all. The password is asked for, or read from a file descriptor. Media made by "
        "others by DICOM PS3.15 D.1 with a password are read too.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--password-fd",
        type=whole_number(0, 1 << 20),
        metavar="N",
        help="read the password's line from this open file descriptor",
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dicomdir import errors
    from dicomdir.check.volume import check_volume
    from dicomdir.encrypt.restore import restore

    out: Path = args.output.absolute()
    if not args.source.exists():
        raise InvalidValueError(f"{args.source} does not exist")
    if out.exists() or out.is_symlink():
        raise InvalidValueError(f"{args.output} is already there; a new folder is made")
    if not out.parent.is_dir():
        raise InvalidValueError(f"there is no folder {out.parent} to put it into")
    password = read_password(args.password_fd)
    try:
        with progress("decrypting") as bar:
            restored = restore(args.source, password, out, progress=bar)
    except (errors.WrongPasswordError, errors.WeakPasswordError):
        raise WrongPasswordError("the password does not open this medium") from None
    except errors.DamagedMediumError as error:
        raise DamagedMediumError(str(error)) from error
    except (
        errors.NotProtectedError,
        errors.UnsupportedEncryptionError,
        errors.ImageError,
    ) as error:
        raise UnsupportedProtectionError(str(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpoolFullError("the disk is full; nothing is left of what was begun") from error
        raise InvalidValueError(f"{args.output}: {error.strerror}") from error
    findings = check_volume(out)
    if args.json:
        print_json(
            {
                "folder": str(args.output),
                "files": restored.files,
                "size_bytes": restored.size_bytes,
                "is_authenticated": restored.is_authenticated,
                "ignored": restored.ignored,
                "findings": [
                    {"rule": f.rule, "severity": f.severity.value, "path": f.path} for f in findings
                ],
            }
        )
        return 0
    print(f"{args.output}: {restored.files} files, {restored.size_bytes} bytes, all sound")
    if not restored.is_authenticated:
        print("The medium has no list of its files: they agree with its DICOMDIR, no more is known")
    if restored.ignored:
        print(f"Files that are no part of it and were left: {restored.ignored}")
    if findings:
        print("Remarks of the check on what was restored:")
        print_table(
            ("rule", "severity", "path", "reason"),
            [(f.rule, f.severity.value, f.path, f.reason) for f in findings],
        )
    return 0
