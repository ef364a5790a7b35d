"""What other programs may ask: `GET /api/v1/readings` and `GET /healthz`."""
