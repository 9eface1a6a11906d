"""Plots as SVG that stands inside a page: coloured by the page's own CSS variables, its words kept as text."""
