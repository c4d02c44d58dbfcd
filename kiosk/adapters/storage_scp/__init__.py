"""The storage receiver: a process of its own that takes C-STOREs and writes them to disk.

It knows DICOM's upper layer and just enough of a data set's header (`dicomdir.instance`) to say
what arrived; it imports neither pydicom nor pynetdicom, holds no secret and opens no device. The
engine starts it and watches over it (`supervisor.py`); everything else here runs inside it:

    front_door.py   the listener, connections before their association, deadlines, the control
    channel association.py  one association: a thread that receives into one small buffer
    machine.py      the protocol, without sockets
    incoming.py     one object on its way to disk
    retrievals.py   which Studies may arrive, and where they go
    messages.py     what both processes say to each other
"""
