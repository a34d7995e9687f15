"""SQL for everything the corridor and the rooms share. `read(body)` and `write(body)`, nothing else."""
