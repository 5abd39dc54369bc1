"""What a dataset is: its schema, its store on disk, its split and its card."""
