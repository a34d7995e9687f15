"""What reaches this node from others: receive, dispatch, process."""
