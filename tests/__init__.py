"""The tests: they mirror app/; journeys go through HTTP, live ones through sockets."""
