"""The doors: one file per source type. Each hands arrivals to the pipeline and judges none of them."""
