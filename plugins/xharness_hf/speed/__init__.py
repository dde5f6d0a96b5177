"""The same numbers, sooner: other functions in place of torch's."""
