"""Wrong tries: what they count against, when a kiosk pauses, when staff are alerted.

All of it is worked out from stored refusals, so a restart forgets nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kiosk.domain.ticket import MAX_TRIES
from kiosk.ports import AuditLog, StaffCalls, Tickets
from kiosk.services.claims import IdentifyPolicy, Refused, Release

COOL_DOWN = "cool_down"  # the reason of a try that is not looked at
MANY_REFUSALS = "kiosk.many_refusals"
CALLED_FOR = "ManyRefusals"  # where a call for staff comes from


class Tries:
    """The counters as one kiosk sees them."""

    def __init__(
        self,
        tickets: Tickets,
        audit: AuditLog,
        calls: StaffCalls,
        kiosk: str,
        policy: IdentifyPolicy,
    ) -> None:
        self._tickets, self._audit, self._calls = tickets, audit, calls
        self._kiosk = kiosk
        self._policy = policy

    def is_cooling_down(self, now: datetime) -> bool:
        """Six refusals in ten minutes cost a minute, each further one twice as long as the last.

        The k-th pause was earned by 6 + k refusals within ten minutes plus the pauses before it,
        and it lasts from the last refusal on. Tries during a pause are not looked at and do not
        count.
        """
        policy = self._policy
        window_s, pause_s = policy.window_s, policy.cool_down_s
        for refusals in range(policy.kiosk_tries, policy.kiosk_tries + 12):
            earned = self._failures(now, window_s + pause_s) >= refusals
            if earned and self._failures(now, pause_s) > 0:
                return True
            window_s += pause_s
            pause_s = min(2 * pause_s, policy.longest_cool_down_s)
        return False

    def is_locked(self, claims: tuple[str, ...]) -> bool:
        """Whether one of these was tried wrong so often that staff must unlock it."""
        return bool(claims) and self._tickets.claim_failures(claims) >= MAX_TRIES

    def count(self, refused: Refused, now: datetime) -> None:
        """A refusal, at the kiosk and at what was claimed; the one too many alerts staff."""
        if refused.reason == COOL_DOWN:
            return
        self._tickets.count_failure(
            refused.ticket_id if refused.is_wrong_answer else None,
            self._kiosk,
            now,
            claims=refused.claims,
            order_id=refused.order_id,
        )
        self._alert_if_many(now)

    def lock(self, release: Release, now: datetime) -> None:
        """Nobody uses that claim again before staff unlock it."""
        for _ in range(MAX_TRIES):
            self._tickets.count_failure(
                release.ticket_id or None,
                self._kiosk,
                now,
                claims=release.claims,
                order_id=release.order.order_id,
            )

    def _alert_if_many(self, now: datetime) -> None:
        """One row and call an hour at most. A crash between writes twice rather than never."""
        window_s = self._policy.alert_window_s
        count = self._failures(now, window_s)
        since = now - timedelta(seconds=window_s)
        if count <= self._policy.alert_after or self._tickets.has_alerted_since(self._kiosk, since):
            return
        self._audit.append(
            MANY_REFUSALS,
            actor=f"kiosk:{self._kiosk}",
            subject=self._kiosk,
            outcome=8,
            details={"refusals": str(count), "seconds": str(int(window_s))},
        )
        self._calls.call(self._kiosk, CALLED_FOR)
        self._tickets.note_alert(self._kiosk)

    def _failures(self, now: datetime, seconds: float) -> int:
        return self._tickets.failures_since(self._kiosk, now - timedelta(seconds=seconds))
