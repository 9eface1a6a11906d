"""What the stand-in calls itself wherever Harbor shows a version."""

VERSION = "v1.2.0-stand-in"
