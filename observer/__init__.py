"""The lowest floor: records what happens in a browser as signals, and explains nothing."""
