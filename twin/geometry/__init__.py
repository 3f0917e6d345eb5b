"""Where satellites and terminals are, and the links between them."""
