"""Commands for people; the workflow calls the steps."""
