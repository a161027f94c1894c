"""What an error repeats of what was sent."""

MAX_ECHO = 100  # characters


def cut(text: str) -> str:
    return text if len(text) <= MAX_ECHO else f"{text[:MAX_ECHO]}…"
