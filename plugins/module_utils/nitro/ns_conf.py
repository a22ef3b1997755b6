# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands of the file ns.conf: words, options and values. Pure.

Source: the vendor's command reference, and "Create a batch file" of its documentation: a value with blanks stands in
double quotes, in which a backslash escapes, or in q and a delimiter, such as q{...} or q/.../, in which nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_CLOSING = {"{": "}", "(": ")", "[": "]", "<": ">"}
_OPTION = re.compile(r"-[A-Za-z]\w*")
#: Options whose values are never shown: passwords, keys, shared secrets, communities.
_SECRET = re.compile(r"pass|secret|community|token|credential|(?<!cert)(?<!certkey)key$", re.IGNORECASE)
#: Options that say that a secret of the line is encrypted with a key of its appliance.
_ENCRYPTED = frozenset({"encrypted", "passcrypt", "kek", "encryptmethod"})


@dataclass(frozen=True, slots=True)
class Token:
    """``quoted``: it stood in quotes, so it names no option."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One line. ``words``: everything before the first option; ``options``: lower-case name → values ([]: a flag)."""

    number: int
    words: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def encrypted(self) -> bool:
        """Whether it holds a secret that only its appliance can decrypt."""
        return not _ENCRYPTED.isdisjoint(self.options)

    def starts(self, prefix: str) -> bool:
        """Whether the first words are these, in any case."""
        parts = prefix.lower().split()
        return [word.lower() for word in self.words[: len(parts)]] == parts

    def shown(self) -> str:
        """Return the line for results and logs, without secrets."""
        if self.encrypted or self.starts("set system user") or self.starts("add system user"):
            return " ".join([*self.words[:4], "..."])
        parts = list(self.words)
        if self.starts("add snmp community"):
            parts[3:] = ["..."]
        for name, values in self.options.items():
            parts += [f"-{name}", *(["..."] if _SECRET.search(name) and values else values)]
        return " ".join(parts)


def read_commands(text: str) -> list[Command]:
    """Return the commands of the file in order; comments and empty lines are passed over."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if tokens := split(line):
            found.append(_command(number, tokens))
    return found


def _command(number: int, tokens: list[Token]) -> Command:
    words: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    option = ""
    for token in tokens:
        if not token.quoted and _OPTION.fullmatch(token.text):
            option = token.text[1:].lower()
            options[option] = ()
        elif option:
            options[option] = (*options[option], token.text)
        else:
            words.append(token.text)
    return Command(number, tuple(words), options)


def split(line: str) -> list[Token]:
    """Return the words of a line. What is not closed ends with the line."""
    tokens, at = [], 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        token, at = _token(line, at)
        tokens.append(token)
    return tokens


def _token(line: str, at: int) -> tuple[Token, int]:
    if line[at] in "\"'":
        return _quoted(line, at + 1, line[at])
    if line[at] == "q" and at + 1 < len(line) and not (line[at + 1].isalnum() or line[at + 1] in " \t._-:"):
        end = line.find(_CLOSING.get(line[at + 1], line[at + 1]), at + 2)
        end = len(line) if end < 0 else end
        return Token(line[at + 2 : end], quoted=True), end + 1
    end = at
    while end < len(line) and not line[end].isspace():
        end += 1
    return Token(line[at:end]), end


def _quoted(line: str, at: int, mark: str) -> tuple[Token, int]:
    text = []
    while at < len(line) and line[at] != mark:
        if line[at] == "\\" and line[at + 1 : at + 2] in ('"', "'", "\\"):
            at += 1  # before other letters the backslash belongs to the value, as in an expression's \\r\\n
        text.append(line[at])
        at += 1
    return Token("".join(text), quoted=True), at + 1
