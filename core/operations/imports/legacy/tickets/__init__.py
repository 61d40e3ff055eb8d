"""Tickets and their modifications."""
