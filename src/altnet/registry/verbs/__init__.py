"""What ``python3 -m altnet.registry`` can do, a module each: ``main(settings, *arguments)`` returns the exit status."""
