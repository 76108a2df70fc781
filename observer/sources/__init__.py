"""Ways to reach a browser: find one, launch one, or attach to one that is running."""
