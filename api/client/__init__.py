"""The clients: Python, with and without asyncio, and JavaScript; every event once and in order, however often the connection drops."""
