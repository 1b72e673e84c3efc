"""Question-answering datasets over videos: loaders, scores, and answers of Presage. Needs the standard library only."""
