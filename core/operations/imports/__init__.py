"""The data of the application that this one replaces."""
