"""What all screens share: session, rights, forms, templating, lists, live updates."""
