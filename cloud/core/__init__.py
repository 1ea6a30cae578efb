"""What every slice stands on: time, money, errors, sessions, outbox, jobs, files, audit."""
