"""Keeps events beyond the life of the server: one backend a file, all behind one protocol."""
