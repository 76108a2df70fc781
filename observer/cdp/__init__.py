"""Speaks the Chrome DevTools Protocol: the socket, its sessions and the tree of targets."""
