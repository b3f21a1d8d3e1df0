"""Chat: what asks on its host whether it is well. Relative imports and the standard library only."""
