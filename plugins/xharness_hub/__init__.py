"""Rows from the Hugging Face hub, from https addresses and from files, over a data root.

A data root is a folder of plain copies: the data set `org/name` lies at `<root>/org/name`, the file
`https://host/path` at `<root>/host/path`. What lies there is never asked of the network.
"""
