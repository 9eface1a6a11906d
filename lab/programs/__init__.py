"""What the lab runs: Debian packages, and programs that are compiled or fetched once and kept."""
