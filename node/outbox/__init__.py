"""What leaves this node: publishing into streams, lanes, delivery, and what peers may read by GET."""
