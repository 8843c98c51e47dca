"""The knowledge base from outside: look into it, check it, extend it."""
