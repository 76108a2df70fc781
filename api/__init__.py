"""The upper floor: delivers events to people, test runners and agents."""
