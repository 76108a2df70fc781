"""`firstcause run`: a command as it would run without us, and an observation of every Chromium that it starts."""
