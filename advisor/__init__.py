"""What to choose: answers in, a reasoned shortlist out. Never imports torch."""
