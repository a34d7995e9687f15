"""Groups: who is in, who decides, which nodes hold them. A ground room."""
