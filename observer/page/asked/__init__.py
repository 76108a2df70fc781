"""The scripts that are put into a page only when it is asked something."""
