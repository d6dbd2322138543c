"""The routes below /gradio_api/gan: classes of handlers, each with its table. `register` lists them, `answers` is how
all of them read a request and answer it, `queries` reads what drawing requests have in common."""
