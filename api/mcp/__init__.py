"""The tools over the Model Context Protocol; all that is of the protocol is here."""
