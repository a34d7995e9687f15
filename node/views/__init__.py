"""Pages: what members and visitors see in a browser."""
