"""Texts from elsewhere become articles: a reader for each kind of file, and named repairs."""
