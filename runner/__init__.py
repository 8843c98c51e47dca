"""What really works here: trains the shortlist fairly, measures it, ranks it."""
