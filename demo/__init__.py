"""A demonstration with synthetic data. It lies beside the product: what is installed holds none of it."""
