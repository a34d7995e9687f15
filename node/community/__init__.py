"""What members do, one room each. `service` is for the doors, `activities` for the wire, `repository` for the store."""
