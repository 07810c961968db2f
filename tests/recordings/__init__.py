"""Tests of the recordings that are kept."""
