"""Passwords of protected media, sealed: from placing the job to its end, or longer if configured.

A row goes when its job has ended and nobody needs it: somebody was told, or no medium is out. One
that nobody was told stays until staff are (`reveal`), so that no medium is ever locked for good.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import jobs, passwords
from kiosk.adapters.sealing import Seal
from kiosk.domain.model import ExecutionStatus, OrderId
from kiosk.domain.protection import JobPassword
from kiosk.errors import PasswordLostError, UnknownJobError
from kiosk.ports import Clock

_ENDED = (ExecutionStatus.DONE.value, ExecutionStatus.FAILURE.value)


class JournalPasswords:
    """Keeps `kiosk.ports.Passwords`.

    Args:
        is_kept: The site wants staff to be able to look passwords up until the job is purged.
    """

    def __init__(
        self, engine: sa.Engine, chain: AuditChain, clock: Clock, seal: Seal, *, is_kept: bool
    ) -> None:
        self._engine, self._chain, self._clock = engine, chain, clock
        self._seal, self._is_kept = seal, is_kept

    # --- in somebody's transaction

    def make(self, connection: sa.Connection, job_id: OrderId) -> str:
        """A new one for a job that is being placed. Returns its id. Raises ConfigError."""
        from dicomdir.encrypt.passwords import generate

        password_id = secrets.token_hex(8)
        connection.execute(
            sa.insert(passwords).values(
                password_id=password_id,
                job_id=job_id,
                sealed=self._seal.close(generate(), _owner(job_id, password_id)),
                made_at=self._clock.now(),
                told_at=None,
            )
        )
        return password_id

    def settle(self, connection: sa.Connection, job_id: OrderId, *, is_out: bool) -> None:
        """The job has ended: destroy what nobody needs.

        Args:
            is_out: A medium of it was handed over.
        """
        if self._is_kept:
            return
        mine = sa.select(jobs.c.password_id).where(jobs.c.job_id == job_id).scalar_subquery()
        query = sa.delete(passwords).where(passwords.c.password_id == mine)
        if is_out:
            query = query.where(passwords.c.told_at.is_not(None))
        connection.execute(query)

    def purge(self, connection: sa.Connection, job_ids: list[str], before: datetime) -> None:
        """Destroy what was made so long ago for these jobs, told or not."""
        connection.execute(
            sa.delete(passwords).where(
                passwords.c.job_id.in_(job_ids), passwords.c.made_at < before
            )
        )

    # --- the port

    def of(self, job_id: OrderId) -> JobPassword | None:
        """Raises UnknownJobError, PasswordLostError."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(jobs.c.password_id, passwords)
                .outerjoin(passwords, passwords.c.password_id == jobs.c.password_id)
                .where(jobs.c.job_id == job_id)
            ).one_or_none()
        if row is None:
            raise UnknownJobError(f"no job {job_id}")
        if not row[0]:
            return None
        if row.sealed is None:
            raise PasswordLostError(f"the password of job {job_id} is destroyed")
        return self._opened(row, row[0])

    def is_told(self, job_id: OrderId) -> bool:
        return self.state(job_id) in ("", "told")

    def state(self, job_id: OrderId) -> str:
        """ "untold", "told" or "destroyed"; "" if the media of the job are not protected."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(jobs.c.password_id, passwords.c.made_at, passwords.c.told_at)
                .outerjoin(passwords, passwords.c.password_id == jobs.c.password_id)
                .where(jobs.c.job_id == job_id)
            ).one_or_none()
        if row is None or not row.password_id:
            return ""
        if row.made_at is None:
            return "destroyed"
        return "told" if row.told_at is not None else "untold"

    def tell(self, password_id: str, *, actor: str) -> None:
        """On record from now on; the last use of one whose job has ended."""
        with writing(self._engine) as connection:
            told = connection.execute(
                sa.update(passwords)
                .where(passwords.c.password_id == password_id, passwords.c.told_at.is_(None))
                .values(told_at=self._clock.now())
            )
            if not told.rowcount:
                return
            row = connection.execute(
                sa.select(passwords.c.job_id, jobs.c.status, jobs.c.password_id.label("newest"))
                .join(jobs, jobs.c.job_id == passwords.c.job_id)
                .where(passwords.c.password_id == password_id)
            ).one()
            self._chain.append(connection, "password.told", actor=actor, subject=row.job_id)
            is_over = row.status in _ENDED or row.newest != password_id
            if is_over and not self._is_kept:
                connection.execute(
                    sa.delete(passwords).where(passwords.c.password_id == password_id)
                )

    # --- for staff

    def reveal(self, job_id: OrderId, *, actor: str) -> list[JobPassword]:
        """What staff may see, newest first: all that are kept if the site keeps them, else what
        nobody was told yet. Audited before it is returned.

        Raises:
            UnknownJobError: No such job.
            PasswordLostError: There is none, or none that they may see.
        """
        with writing(self._engine) as connection:
            known = connection.scalar(sa.select(jobs.c.job_id).where(jobs.c.job_id == job_id))
            if known is None:
                raise UnknownJobError(f"no job {job_id}")
            query = sa.select(passwords).where(passwords.c.job_id == job_id)
            if not self._is_kept:
                query = query.where(passwords.c.told_at.is_(None))
            rows = connection.execute(query.order_by(passwords.c.made_at.desc())).all()
            if not rows:
                raise PasswordLostError(f"there is no password of job {job_id} to be shown")
            found = [self._opened(row, row.password_id) for row in rows]
            self._chain.append(
                connection,
                "password.shown",
                actor=actor,
                subject=job_id,
                details={"passwords": str(len(found))},
            )
        return found

    def _opened(self, row: Any, password_id: str) -> JobPassword:
        text = self._seal.open(row.sealed, _owner(row.job_id, password_id))
        return JobPassword(password_id, text, row.told_at is not None, row.made_at)


def _owner(job_id: str, password_id: str) -> str:
    """What a sealed password belongs to: moved to another row it does not open."""
    return f"{job_id} {password_id}"
