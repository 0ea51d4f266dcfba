"""The exchanges of an episode in a file, and an episode answered from one."""
