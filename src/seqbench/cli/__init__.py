"""The command `seqbench`: one module a command, named as the command is."""
