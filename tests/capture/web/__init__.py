"""Tests of the browser recorder."""
