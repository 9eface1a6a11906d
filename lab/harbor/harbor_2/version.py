"""What the stand-in says that it is, wherever Harbor says its version."""

VERSION = "v2.12.4-stand-in"
