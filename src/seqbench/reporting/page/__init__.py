"""The page, the page of differences and the tables for papers."""
