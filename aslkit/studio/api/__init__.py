"""HTTP routes of the studio: they validate requests, call a part, and return JSON. /openapi.json describes them."""
