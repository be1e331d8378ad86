"""The printed observation chart: drawn by the server, as a page that prints well and where WeasyPrint is there as PDF."""
