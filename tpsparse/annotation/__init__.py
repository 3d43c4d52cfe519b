"""Labels for one's own videos: people, body parts and their states, found by machine."""
