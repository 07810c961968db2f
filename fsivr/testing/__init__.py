"""The pytest plugin: a fixture ``switch`` that calls the handlers of this project."""
