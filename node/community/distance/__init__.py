"""Distance: people whom a member has muted or blocked. It stays on this node, and nobody is told."""
