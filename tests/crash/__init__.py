"""Kill a playbook at one of its writes, start it again, and see whether anyone can tell."""
