"""Patterns for LIKE."""


def containing(text: str) -> str:
    """Matches what contains `text`, whose signs stand for themselves."""
    for sign in "\\%_":
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"
