"""Out of the drive and into the patient's hand: audited, ejected, and free once it has gone.

Each part may be repeated after a crash; the medium's row in the journal counts it once.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.model import ExecutionStatus, HandOver, Job, Medium, Order, OrderId
from kiosk.ports import DELIVERED, LedgerEntry, LedgerPhase, MediaWriter, StagingWriter
from kiosk.services.drawer import is_absent, is_gone
from kiosk.services.parts import EngineParts


def is_present(parts: EngineParts, job_id: OrderId) -> bool:
    """Whether the job's owner is at the kiosk: his visit showed there some seconds ago."""
    seen_at = parts.presence.seen_at(job_id)
    if seen_at is None:
        return False
    # Either way: a clock that was set back must not keep somebody present.
    return abs((parts.clock.now() - seen_at).total_seconds()) <= parts.policy.presence_s


def may_leave(parts: EngineParts, job: Job) -> bool:
    """Whether somebody is there to whom the job's medium may be handed now.

    Who is there and has not said yet that he wrote its password down is asked on his page.
    """
    if job.choice.hand_over is HandOver.AT_ONCE:
        return True
    return is_present(parts, job.job_id) and parts.passwords.is_told(job.job_id)


def hand_over(
    parts: EngineParts, writer: MediaWriter, entry: LedgerEntry, order: Order, medium: Medium
) -> None:
    """Give out a verified medium: the Export audit row and the medium's mark are one transaction.

    Raises:
        JournalError: The audit row cannot be kept: nothing is ejected.
        OrderNotReleasedError: It was held or cancelled meanwhile: nothing is ejected.
        DriveFaultError: The drive does not open; call again.
    """
    parts.media.deliver(
        entry,
        actor="engine",
        details={
            "study": order.study_instance_uid,
            "medium": medium.value,
            **disc_words(parts, entry),
            **({"read_back": "no"} if isinstance(writer, StagingWriter) else {}),
        },
    )
    parts.labels.handed_out(entry, medium)
    loaded = writer.inspect()
    if not is_absent(loaded) and loaded.volume_id == entry.volume_id:
        writer.eject()
    elif is_gone(entry, loaded):
        parts.ledger.free(writer.name)
        return
    parts.ledger.put(replace(entry, phase=LedgerPhase.OUT))


def disc_words(parts: EngineParts, entry: LedgerEntry) -> dict[str, str]:
    """Which one of a set it is, for the audit trail; nothing of a single medium."""
    disc_set = parts.jobs.disc_set(entry.job_id)
    if disc_set is None or disc_set.discs == 1 or entry.volume_id not in disc_set.volume_ids:
        return {}
    return {"disc": f"{disc_set.volume_ids.index(entry.volume_id) + 1} of {disc_set.discs}"}


def is_due(parts: EngineParts, entry: LedgerEntry) -> bool:
    """Whether it is its turn: of a set no medium may come twice, and none of another split.

    One that was handed over on record and only has to come out is due too.
    """
    disc_set = parts.jobs.disc_set(entry.job_id)
    if disc_set is None or is_delivered(parts, entry):
        return True
    index = disc_set.index(parts.media.delivered(entry.job_id))
    return entry.volume_id == disc_set.volume_ids[index]


def may_be_whole(writer: MediaWriter, entry: LedgerEntry) -> bool:
    """Whether what can be read in the drive has the name of the entry's medium."""
    volume_id = writer.inspect().volume_id
    return volume_id != "" and volume_id == entry.volume_id


def settle_other(parts: EngineParts, writer: MediaWriter, entry: LedgerEntry) -> bool:
    """Bring a good medium of another job, found in the drive, to its end.

    Its own workflow comes later and finds it delivered. A job that has ended without it gets
    nothing any more: then the medium is scrap.

    Returns:
        Whether it was handed over.
    Raises:
        OrderNotReleasedError: Its order was held or cancelled: it stays in.
    """
    job = parts.jobs.get(entry.job_id)
    has_ended = job.status in (ExecutionStatus.DONE, ExecutionStatus.FAILURE)
    if has_ended and not is_delivered(parts, entry):
        scrap(parts, writer, entry)
        return False
    order = parts.orders.get(job.order_id)
    hand_over(parts, writer, entry, order, parts.medium_of(writer.name))
    return True


def is_delivered(parts: EngineParts, entry: LedgerEntry) -> bool:
    """On record; then only the drive has to be opened and freed."""
    return any(
        (record.drive, record.attempt) == (entry.drive, entry.attempt)
        and record.outcome == DELIVERED
        for record in parts.media.history(entry.job_id)
    )


def scrap(parts: EngineParts, writer: MediaWriter, entry: LedgerEntry) -> None:
    """Whatever it was, it is no use: out with it, if it is the one in the drive.

    The drive is free when the next look finds it gone.
    """
    if entry.phase != LedgerPhase.SCRAP:
        parts.ledger.put(replace(entry, phase=LedgerPhase.SCRAP))
    loaded = writer.inspect()
    is_written = not is_absent(loaded) and loaded.wanted is not None
    if is_written and loaded.volume_id in ("", entry.volume_id):
        writer.eject()
    elif not loaded.is_open:
        parts.ledger.free(writer.name)
