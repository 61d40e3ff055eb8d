"""Tickets as xlsx and csv, every table as a zip, and a ticket on paper.

An export is made by a process of its own (`child`), which reads the database in short batches and writes the file to a
pipe: the event loop of those who serve only passes its bytes on (`child_process`). That process starts in a fraction of
a second because what it needs (`child`, `columns`, `job`) imports neither SQLAlchemy nor pydantic; a test keeps it so.
The serving side puts its statements together (`statements`), from the same conditions as the lists'. The printed ticket
(`pdf`) is drawn in a thread.
"""
