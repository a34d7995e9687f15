"""Members of this node: who they are, how they sign in, what their apps may do. A ground room."""
