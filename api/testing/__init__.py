"""What test runners need: the pytest plugin, what it reads of messages, and what heals a selector."""
