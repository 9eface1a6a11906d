"""Harbor's portal: static files that a web server gives out; all else the browser fetches from core."""
