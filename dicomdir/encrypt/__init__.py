"""Password-protected media: Secure DICOM Files (PS3.10 7.4, PS3.15 D.1; PDI-86 to PDI-95).

    passwords.py   what may be a password; a generated one
    ber.py         the little of BER that streaming takes; everything else is asn1crypto's
    keys.py        password -> key-encryption key -> content key (PBKDF2, PWRI-KEK)
    seal.py        one file into CMS EnvelopedData, in one pass
    unseal.py      and out of it again, ours and other makers'
    manifest.py    what is on a protected medium, authenticated
    volume.py      a PdiVolume into a protected one
    pages.py       README.TXT and INDEX.HTM that stay in clear
    restore.py     a protected medium back into a plain File-set, all or nothing

Limits, on purpose or by the standard:

- Names, number and sizes of files (to 16 bytes) stay visible, and so do volume identifier,
  institution and the day of recording. Whoever has the disc can count studies, series and images
  and guess the modality from sizes.
- Secure DICOM Files are CBC with an unkeyed digest inside: that finds damage, it does not prove
  who wrote them. Our manifest is AES-GCM under the same password and holds every file's SHA-256, so
  media of ours are authenticated as a whole; others are checked by digests and DICOMDIR.
- The viewer and web pages go into sealed files below EXTRA; they show nothing before decryption.
"""
