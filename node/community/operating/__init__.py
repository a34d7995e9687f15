"""How the node is: disk, database, what waits, the audit chain. The operator's second room; the first is peering."""
