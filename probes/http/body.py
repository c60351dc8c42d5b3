"""Reading a body: as much of it as is allowed, out of its compression."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from probes.http.options import HttpOptions

_PIECE = 65_536
_GZIP, _ZLIB, _RAW = 31, 15, -15


class _NotCompressed(ValueError):
    """``str()`` says what zlib says."""


@dataclass(frozen=True, slots=True)
class Body:
    """``size``: bytes that were read, after decompression; ``data``: those of them that are to be judged.
    ``whole``: whether there were no more. ``broken``: why it is not in the compression that it has to have."""

    size: int
    data: bytes
    whole: bool = True
    broken: str | None = None


async def read_body(content: aiohttp.StreamReader, options: HttpOptions) -> Body:
    """Up to the end, or the first piece that reaches ``max_body``. Raises aiohttp.ClientError."""
    kept, size = bytearray(), 0
    pieces: AsyncIterator[bytes] = content.iter_any()
    if options.compression in ("gzip", "deflate"):
        pieces = _inflated(pieces, options.compression)
    try:
        async for piece in pieces:
            size += len(piece)
            if options.judges_body:
                kept += piece[: options.max_body - len(kept)]
            if size >= options.max_body:
                return Body(size, bytes(kept), whole=size == options.max_body and content.at_eof())
    except _NotCompressed as error:
        return Body(size, bytes(kept), broken=str(error))
    return Body(size, bytes(kept))


async def _inflated(chunks: AsyncIterator[bytes], compression: str) -> AsyncIterator[bytes]:
    """Piece by piece, with turns of the loop in between: little can become much."""
    inflate = None
    async for chunk in chunks:
        rest = chunk
        while rest:
            if inflate is None:
                inflate = zlib.decompressobj(_window(compression, rest))
            try:
                yield inflate.decompress(rest, _PIECE)
            except zlib.error as error:
                raise _NotCompressed(str(error)) from None
            rest = inflate.unconsumed_tail or inflate.unused_data
            if inflate.eof and rest:  # gzip may have several members (RFC 1952 §2.2)
                inflate = None
            await asyncio.sleep(0)
    if inflate is None or not inflate.eof:
        raise _NotCompressed("ends too early")


def _window(compression: str, beginning: bytes) -> int:
    """Some send deflate without the frame of zlib that RFC 9110 §8.4.1.2 wants."""
    if compression == "gzip":
        return _GZIP
    return _ZLIB if beginning[0] & 0x0F == zlib.DEFLATED else _RAW
