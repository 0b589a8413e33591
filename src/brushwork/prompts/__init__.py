"""② The prompt language: pure, text → Prompt."""
