"""What a province's centres would get, made of what is known of them."""
