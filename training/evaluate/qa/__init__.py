"""Question-answering data sets over videos. Needs the standard library only."""
