"""`python -m gan`: see gan/cli/main.py."""

from gan.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
