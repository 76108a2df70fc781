"""The middle floor: turns signals into events and says what caused what, purely and replayably."""
