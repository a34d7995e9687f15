"""Commands: what an operator types. One module per noun, one function per verb, one line each in `commands.COMMANDS`."""
