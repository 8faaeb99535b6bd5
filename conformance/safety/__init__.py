"""What a run promises about the settings that it finds: to keep them, to put them back, or not to begin."""
