"""An independent member of a network, written from proto/navette.proto and PROTOCOL.md: no code is shared with the daemon."""
