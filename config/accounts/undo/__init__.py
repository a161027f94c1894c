"""Undo: what a person did is put back within the hour, by what the app that did it registers."""
