"""Put on PYTHONPATH by the tests that run an image: any use of the network ends the process with a telling line."""

import socket
import sys

LOCAL = {"localhost", "127.0.0.1", "::1", ""}


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo" and str(arguments[0]) not in LOCAL:
        raise RuntimeError(f"network: the task looked up {arguments[0]}")
    if event == "socket.connect":
        sock, address = arguments
        remote = isinstance(address, tuple) and str(address[0]) not in LOCAL
        if isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6) and remote:
            raise RuntimeError(f"network: the task connected to {address}")


sys.addaudithook(_refuse)
