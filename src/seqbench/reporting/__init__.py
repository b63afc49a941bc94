"""Tables and figures from stored results, and the page that holds them. Needs no torch."""
