"""What is measured; each scenario is a function from a `Run` to the lines of its section."""
