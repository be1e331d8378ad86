"""The pages about who one is."""
