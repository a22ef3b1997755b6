"""IAM as the lab enforces it: what a request needs, what a principal's policies say to it, and who asks."""
