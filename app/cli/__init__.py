"""The command line: `hub`. The same services as the HTTP API, each command its own transaction."""
