"""Page objects and helpers of the suite."""
