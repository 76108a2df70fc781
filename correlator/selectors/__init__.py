"""Which element took the place of one whose selector does not find it any more."""
