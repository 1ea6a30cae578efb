"""The administrator: organisation, people, sessions, places, outbox, jobs, audit."""
