"""A trial under way: its patients, where it stands, what is due, and what is ahead."""
