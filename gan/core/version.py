"""Which version of the program this is; CHANGELOG.md says what changed."""

VERSION = "0.2.0"
