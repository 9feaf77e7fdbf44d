"""Prints the OpenAPI document of this service: `python describe.py > openapi.json`."""

import json

from app import app

print(json.dumps(app.openapi(), indent=2))
