"""The scripts that run inside observed pages."""
