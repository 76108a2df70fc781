"""How frames reach a client: one transport a file, the same frames everywhere."""
