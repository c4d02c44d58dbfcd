"""Reports: what is in the study as readable pages and PDFs, and reports from outside as DICOM.

`collect.ReportContent` sees the objects of a medium pass by and gives pages and PDFs for them;
`encapsulate.encapsulate` makes an Encapsulated PDF object of a text or PDF that was handed in.
Everything that touches a PDF runs in `worker`, a process of its own under limits.
"""
