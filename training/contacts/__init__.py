"""The contact classifier: tells physical contacts of tracked things from what only looks like one."""
