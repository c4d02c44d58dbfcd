"""Limits and settings of the storage receiver, as they travel to its process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may take of us before it is sent away.

    Attributes:
        associate_s: From the connection to its whole A-ASSOCIATE-RQ.
        pdu_s: For the rest of a PDU once its first byte is here.
        idle_s: Between PDUs.
        pending, pending_per_address: Connections without an association; beyond, the one that said
            least is dropped, so that silent ones cannot keep others out.
        associations, associations_per_address: Beyond, one that brought nothing yet or idles is
            dropped, or else the new one is refused as transient.
        evict_after_s: An association idles if nothing came for so long.
    """

    associate_s: float = 5.0
    pdu_s: float = 20.0
    idle_s: float = 60.0
    pending: int = 64
    pending_per_address: int = 32
    associations: int = 16
    associations_per_address: int = 8
    evict_after_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may send: one AE title and the addresses that it comes from."""

    ae_title: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScpSettings:
    """What the receiver's process is told at its start.

    Attributes:
        ae_title: Ours; peers must call it.
        reserve_bytes: Free space below which nothing more is written (status 0xA700).
    """

    ae_title: str
    peers: tuple[Peer, ...]
    reserve_bytes: int
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> ScpSettings:
        raw = json.loads(data)
        return cls(
            ae_title=raw["ae_title"],
            peers=tuple(Peer(p["ae_title"], tuple(p["addresses"])) for p in raw["peers"]),
            reserve_bytes=raw["reserve_bytes"],
            limits=Limits(**raw["limits"]),
        )
