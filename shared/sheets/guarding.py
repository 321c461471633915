"""Is this file an XLSX that may be unpacked? What it holds is counted by unpacking it once, in pieces, before anything
else reads it, and not by what it says of itself."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shared.refusals import problem
from shared.sheets.columns import SheetRefused

MOST_BYTES = 64 << 20
"""Of a file as it is sent. 50,000 rows of 30 columns have ten million."""
MOST_UNPACKED = 256 << 20
"""Of all sheets together, which are read as a stream."""
MOST_BESIDE = 128 << 20
"""Of all parts besides sheets, texts among them, which are held in memory."""
MOST_PARTS = 1_000
LAST_ROW = 1_048_576
"""The last one that a spreadsheet program can have; a file may hold many more, empty and in few bytes."""
_PIECE = 1 << 20
"""A text of one cell has at most 32,767 characters: a piece of a sheet without any tag is none of a spreadsheet."""
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How files of older Office programs begin, and those with a password."""


def guard_xlsx(path: Path) -> None:
    """Refuse what is no XLSX, or unpacks to more than is read.

    Raises:
        SheetRefused: with what it is, or how large.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SheetRefused(problem("sheets.file_too_large", size=size, most=MOST_BYTES))
    with path.open("rb") as file:
        start = file.read(8)
        if start == OLE:
            raise SheetRefused(problem("sheets.old_or_locked"))
        if start[:2] != b"PK":
            raise SheetRefused(problem("sheets.no_xlsx"))
        try:
            with ZipFile(file) as packed:
                parts = packed.infolist()
            _guard_parts(file, parts)
        except (BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise SheetRefused(problem("sheets.file_damaged")) from error


def _guard_parts(file: BinaryIO, parts: list[ZipInfo]) -> None:
    names = [part.filename for part in parts]
    if len(parts) > MOST_PARTS or len(set(names)) < len(names):
        raise SheetRefused(problem("sheets.file_damaged"))
    if "xl/workbook.xml" not in names and not any(name.endswith("workbook.xml") for name in names):
        raise SheetRefused(problem("sheets.no_xlsx"))
    if any(part.flag_bits & 1 for part in parts):
        raise SheetRefused(problem("sheets.old_or_locked"))
    unpacked = beside = 0
    for part in parts:
        size = _unpacked(file, part, MOST_UNPACKED - unpacked)
        unpacked += size
        beside += 0 if _is_sheet(part) else size
        if unpacked > MOST_UNPACKED or beside > MOST_BESIDE:
            raise SheetRefused(problem("sheets.unpacks_too_large", most=MOST_UNPACKED, beside=MOST_BESIDE))


def _is_sheet(part: ZipInfo) -> bool:
    return "worksheets/" in part.filename


def _unpacked(file: BinaryIO, part: ZipInfo, most: int) -> int:
    """How many bytes a part really has, up to a few more than `most`."""
    file.seek(part.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise BadZipFile
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if part.compress_type == ZIP_STORED:
        return part.compress_size
    if part.compress_type != ZIP_DEFLATED:
        raise BadZipFile
    unpacker, left, size, rows = zlib.decompressobj(-15), part.compress_size, 0, 0
    while left > 0:
        packed = file.read(min(left, _PIECE))
        if not packed:
            raise EOFError
        left -= len(packed)
        while packed:
            piece = unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail
            size += len(piece)
            rows += piece.count(b"<row") if _is_sheet(part) else 0
            if rows > LAST_ROW:
                raise SheetRefused(problem("sheets.too_many_rows", most=LAST_ROW))
            if len(piece) == _PIECE and _is_sheet(part) and b"<" not in piece:
                raise SheetRefused(problem("sheets.file_damaged"))
            if size > most:
                return size
        if unpacker.eof and left > 0:
            raise BadZipFile
    if size != part.file_size or not unpacker.eof:
        raise BadZipFile
    return size
