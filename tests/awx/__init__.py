"""What stands in for AWX in the tests: its rules for what it is given, and a small fake of its API."""
