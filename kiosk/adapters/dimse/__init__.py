"""DICOM network messages as bytes: upper layer PDUs (PS3.8) and command sets (PS3.7).

`pdu.py` and `command.py` need the standard library only, because the storage receiver's process
uses them; `requestor.py` and `move.py` are the asking side and belong to the engine.
"""
