"""What a Harbor is and holds, kept in a file before an upgrade and compared after it: `harbor-verify baseline`.

A part (parts.py) is read as entries, each with a key and a value; the file (file.py) holds them; the comparison
(comparison.py) is pure, and rules.py says of each difference what it means.
"""
