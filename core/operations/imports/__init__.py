"""Catalogs from files, and the data of the application that this one replaces."""
