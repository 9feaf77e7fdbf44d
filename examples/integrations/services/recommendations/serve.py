"""Serves on a free port of this machine, and prints its address once it listens: `API_KEYS=secret python serve.py`."""

import socket

import uvicorn

from app import app

# Named as TCP, so that asyncio sends each part of an answer at once (TCP_NODELAY): otherwise the body waits 40 ms for an acknowledgement.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=60)).run(sockets=[listener])
