"""Tables that are no local files: objects behind a URL, tables of databases, and lakes of Parquet files."""
