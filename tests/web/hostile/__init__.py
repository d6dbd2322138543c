"""Kinds of hostile request: what is sent, and what is answered. SECURITY.md has them as a table."""
