"""Token worlds: table-top and street scenes as tracks without pictures, compiled, a few milliseconds a scene."""
