"""One suite for each registry. It runs over every entry, so a new entry is tested without a further line."""
