"""What stands before the endpoints: API keys with a limit of requests, idempotency keys, and faults for tests.

Settings are variables of the environment: `API_KEYS` (separated by commas), `RATE_LIMIT` (requests of a key per s, m or h, by default
`1000/m`) and `FAULTS=on`.
"""

import hashlib
import json
import math
import os
import time
from collections import Counter, OrderedDict, deque

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PERIODS_S = {"s": 1, "m": 60, "h": 3600}
MOST_KEPT = 10_000
OPEN_PATHS = ("/health", "/openapi.json")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Gateway:
    def __init__(self, app):
        self.app = app
        self.keys = {key for key in os.environ.get("API_KEYS", "").split(",") if key}
        limit, unit = os.environ.get("RATE_LIMIT", "1000/m").split("/")
        self.limit, self.period_s = int(limit), PERIODS_S[unit]
        self.takes_faults = os.environ.get("FAULTS") == "on"
        self.requests: dict[str, deque[float]] = {}
        self.answers: OrderedDict[tuple[str, str], tuple[str, int, bytes]] = OrderedDict()
        self.under_way: set[tuple[str, str]] = set()
        self.faults: list[dict] = []
        self.effects: dict[str, int] = {}
        self.refused = 0
        self.received: Counter[str] = Counter()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self.app(scope, receive, send)
        request = Request(scope, receive)
        if self.takes_faults and scope["path"] == "/faults":
            return await (await self.switch_faults(request))(scope, receive, send)
        refusal = self.refusal(request)
        if refusal:
            return await refusal(scope, receive, send)
        fault = self.next_fault(request)
        if fault == "429":
            return await too_many(1)(scope, receive, send)
        if fault == "500":
            return await JSONResponse({"detail": "out of order"}, 500)(scope, receive, send)
        answer = await self.answer(request, await request.body())
        if fault == "garbage":
            answer = Response(b'{"user_id": "12', answer.status_code, media_type="application/json")
        if fault == "close":
            # The server closes a connection whose answer is shorter than declared.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            return await send({"type": "http.response.body", "body": b"{"})
        await answer(scope, receive, send)

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request without a valid key, or beyond the limit of its key."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key not in self.keys:
            return JSONResponse({"detail": "The API key is missing or unknown."}, 401, {"www-authenticate": "Bearer"})
        times = self.requests.setdefault(key, deque())
        now = time.monotonic()
        while times and times[0] <= now - self.period_s:
            times.popleft()
        if len(times) >= self.limit:
            self.refused += 1
            return too_many(math.ceil(times[0] + self.period_s - now))
        times.append(now)
        self.received[f"{request.method} {request.url.path}"] += 1
        return None

    async def answer(self, request: Request, body: bytes) -> Response:
        """Carries a request out once per idempotency key; repeated requests get the first answer."""
        key = request.headers.get("idempotency-key")
        if request.method not in CHANGING or key is None:
            status, content = await self.carry_out(request.scope, body)
            return Response(content, status, media_type="application/json")
        identity = (request.headers["authorization"], key)
        content_hash = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()
        kept = self.answers.get(identity)
        if kept:
            known, status, content = kept
            if known != content_hash:
                return JSONResponse({"detail": "The idempotency key belongs to another request."}, 422)
            return Response(content, status, {"idempotency-replayed": "true"}, "application/json")
        if identity in self.under_way:
            return JSONResponse({"detail": "A request with this idempotency key is being carried out."}, 409)
        self.under_way.add(identity)
        try:
            status, content = await self.carry_out(request.scope, body)
        finally:
            self.under_way.discard(identity)
        if status < 500:
            self.answers[identity] = (content_hash, status, content)
            if len(self.answers) > MOST_KEPT:
                self.answers.popitem(last=False)
        if status < 300:
            self.effects[key] = self.effects.get(key, 0) + 1
        return Response(content, status, media_type="application/json")

    async def carry_out(self, scope, body: bytes) -> tuple[int, bytes]:
        status = 500
        content = b""

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            nonlocal status, content
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                content += message.get("body", b"")

        await self.app(scope, receive, send)
        return status, content

    def next_fault(self, request: Request) -> str | None:
        for fault in self.faults:
            if fault["count"] > 0 and fault["method"] == request.method and request.url.path.startswith(fault["path"]):
                fault["count"] -= 1
                return fault["kind"]
        return None

    async def switch_faults(self, request: Request) -> Response:
        """PUT sets the faults of the next requests; GET reports what has happened, with the effects per idempotency key."""
        if request.method == "PUT":
            self.faults = json.loads(await request.body())
            return Response(status_code=204)
        pending = sum(fault["count"] for fault in self.faults)
        return JSONResponse({"effects": self.effects, "received": self.received, "refused": self.refused, "pending": pending})


def too_many(seconds: int) -> Response:
    return JSONResponse({"detail": "Too many requests for this API key."}, 429, {"retry-after": str(seconds)})
