"""Reports of what was recorded: for people, for CI servers, for code reviews; one form a file."""
