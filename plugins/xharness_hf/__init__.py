"""The backend `hf`: any Transformers backbone under the harness's own heads."""
