"""The safety of the settings that a run finds: a journal on disk, the safeguard, the timer guard, and the restore."""
