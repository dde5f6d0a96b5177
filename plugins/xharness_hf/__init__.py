"""The backend `hf`: any Transformers body under the harness's own heads."""
