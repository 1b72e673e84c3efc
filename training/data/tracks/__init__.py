"""Track scenes as shards: 10 s at 10 Hz with observed tracks, events, causes and futures."""
