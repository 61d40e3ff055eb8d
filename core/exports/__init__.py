"""Tickets as xlsx and csv, every table as a zip, and a ticket on paper.

An export is made by a process of its own (`child`), which reads the database in short batches and writes the file to a
pipe: the event loop of those who serve only passes its bytes on. That process starts in a fraction of a second because
the modules it needs (`child`, `jobs`, `columns`, `rows`, `cells`, `csv`, `xlsx`, `full`) import neither SQLAlchemy nor
pydantic; a test keeps it so. Statements are put together on the serving side (`selection`, `tables`), from the same
conditions as the lists'.
"""
