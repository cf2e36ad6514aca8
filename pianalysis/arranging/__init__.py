"""A melody to a piano piece, whole or while it is written."""
