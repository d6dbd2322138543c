"""The routes below /gradio_api/gan, one file for each kind; `answers` turns errors into sentences."""
