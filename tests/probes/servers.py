"""Peers that the tests play themselves: what no real server would do on request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def stream_server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serves the handler on a loopback port until the block ends, and hangs up on whoever is left."""
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
    writer.transport.abort()


async def forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, read, and never say a word."""
    while await reader.read(65_536):
        pass


@contextlib.contextmanager
def listener(backlog: int = 128, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A listening socket of which nobody accepts: the kernel still completes handshakes up to the backlog."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((host, 0))
        sock.listen(backlog)
        yield sock


@contextlib.contextmanager
def silent_listener() -> Iterator[socket.socket]:
    """A listening socket with a full backlog: the kernel drops every SYN until somebody accepts."""
    with listener(backlog=0) as sock, socket.create_connection(sock.getsockname()):
        yield sock


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A TCP port that stays ours and on which nobody listens: connections are refused."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def server_in_a_thread(
    handler: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serves one connection after the other, over TLS if there is a context: a stalled loop does not stall it."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = sock.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    if context is None:
                        handler(connection)
                    else:
                        with context.wrap_socket(connection, server_side=True) as secured:
                            handler(secured)

    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield sock.getsockname()[1]
        sock.shutdown(socket.SHUT_RDWR)
        thread.join(6)


def dripping(port: int) -> Handler:
    """Passes on what a server on this port says, a byte at a time."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            while byte := await from_server.read(1):
                writer.write(byte)
                await writer.drain()
                await asyncio.sleep(0)
            writer.close()

        dripping = asyncio.create_task(drip())
        try:
            while data := await reader.read(65_536):
                to_server.write(data)
        finally:
            dripping.cancel()
            to_server.close()

    return handler
