"""Segmentation over HTTP: `edgeseg serve`, the only one to import this room, since it needs the extra `serve`.

- `server` opens the socket and runs until it is told to stop;
- `gate` stands before everything: size, number, time, one line of log, one JSON error;
- `app` has the routes, `body` and `vertex` read what is sent to them, `page` describes them;
- `scans` opens what was sent, `engine` segments it on threads of its own, `answers` says what was found.
"""
