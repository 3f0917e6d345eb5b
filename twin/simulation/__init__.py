"""The discrete-event loop, and the runs that are made with it."""
