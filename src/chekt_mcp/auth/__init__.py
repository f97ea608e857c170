"""From a credential to a grant, and from a grant to a yes or a no."""
