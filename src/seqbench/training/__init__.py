"""The one loop that pretraining and fine-tuning share, and what it stands on."""
