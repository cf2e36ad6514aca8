"""Token ids to the ids that come next."""
