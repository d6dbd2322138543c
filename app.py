"""GAN Forge: start the page. `python app.py --help` lists the flags; on Hugging Face Spaces it needs none."""

from gan.web.start import main

if __name__ == "__main__":
    raise SystemExit(main())
