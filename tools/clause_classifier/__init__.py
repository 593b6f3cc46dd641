"""Training and measuring the clause classifier; not shipped."""
