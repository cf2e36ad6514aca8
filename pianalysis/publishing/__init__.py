"""Folders, records and figures to the Hub and to Markdown."""
