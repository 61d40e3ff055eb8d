"""The web client: the files that a browser gets, in `client/`, and the routes that give them (docs/web.md)."""
