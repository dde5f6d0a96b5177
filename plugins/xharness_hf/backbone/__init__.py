"""Any Transformers model as a reader of batches into hidden states."""
