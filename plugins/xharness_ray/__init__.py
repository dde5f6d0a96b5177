"""The executor `ray`: many stages at once, on this machine or on a cluster."""
