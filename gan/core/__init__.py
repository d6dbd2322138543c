"""What every other package may use, and which uses none of them.

Settings (`config`: every knob once), numbers that must be the same everywhere (`seeds`, `noise`, `adam`), pictures as
bytes (`images`), files that are whole or not there (`files`), where the program's own files lie (`paths`), tokens,
typed flags, the console and proxies. Imports nothing of gan.
"""
