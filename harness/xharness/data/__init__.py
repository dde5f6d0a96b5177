"""Reading what cards name."""
