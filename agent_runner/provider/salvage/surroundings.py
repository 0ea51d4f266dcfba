"""Whether a place in a text is one where the model shows something instead of saying it."""

import re

_FENCE = re.compile(r"[ >]{0,6}(`{3,}|~{3,})([^`\n]*)")
_HUNK = re.compile(r"@@(?:\s|\Z)|\*\*\* (?:Begin Patch|Update File|Add File)")
_BLANK = re.compile(r"\n++")
_QUOTES = "\"'`\u201c\u2018«(["
# Before it on its line: the signs of a diff, a comment, a table, or the indent of a code block.
_MARKED = re.compile(r"[+\-|>*#/;%!\"' ]*[+\-|>*#/;%!\"'] *\Z")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\Z")
_MOST_MARK_CHARS = 80


class Surroundings:
    """Reads a text once from its beginning; places are asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_at = 0
        self._ticks_at = 0
        self._ticks = 0
        self._fence = ""
        self._in_hunk = False
        self._is_after_text = False
        self._read_to = 0
        self._enter_line()

    def quoted(self, at: int) -> bool:
        """Whether what begins at `at` is quoted, in a fence, in inline code or in a shown diff."""
        self._go_to(at)
        if self._fence or self._in_hunk:
            return True
        self._ticks += self._text.count("`", self._ticks_at, at)
        self._ticks_at = at
        if self._ticks % 2 or (at > 0 and self._text[at - 1] in _QUOTES):
            return True
        return self._text.startswith(">", self._line_at) or self._is_marked(at)

    def in_block(self, at: int) -> bool:
        """Whether `at` is within a fence that was opened before, or within a shown diff."""
        self._go_to(at)
        return bool(self._fence) or self._in_hunk

    def _is_marked(self, at: int) -> bool:
        if at - self._line_at > _MOST_MARK_CHARS:
            return False
        before = self._text[self._line_at : at]
        if _INDENTED.match(before):
            return self._is_after_text
        return _MARKED.match(before) is not None

    def _go_to(self, at: int) -> None:
        blank = _BLANK.match(self._text, self._line_at, at)
        if blank:
            self._line_at = self._ticks_at = blank.end()
            self._ticks = 0
            self._enter_line()
        while (end := self._text.find("\n", max(self._line_at, self._read_to), at)) >= 0:
            self._leave_line(end)
            self._line_at = self._ticks_at = end + 1
            self._ticks = 0
            self._enter_line()
        self._read_to = at

    def _enter_line(self) -> None:
        first = self._text[self._line_at : self._line_at + 1]
        if _HUNK.match(self._text, self._line_at):
            self._in_hunk = True
        elif first not in {" ", "+", "-", "\\", "\n", "\r", ""}:
            self._in_hunk = False

    def _leave_line(self, end: int) -> None:
        self._is_after_text = self._is_after_text or bool(self._text[self._line_at : end].strip())
        fence = _FENCE.match(self._text, self._line_at, end)
        if fence is None:
            return
        if not self._fence:
            self._fence = fence[1]
        elif fence[1].startswith(self._fence) and not fence[2].strip():
            self._fence = ""
