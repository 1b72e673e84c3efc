"""Conversion of published models into the formats that Presage loads."""
