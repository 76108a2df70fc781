"""What the page script says of an element, so that it can be known again when its selector does not find it any more."""

from __future__ import annotations

import msgspec


class Fingerprint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One element. Nothing in it was typed by the user.

    `test` is its test id with the attribute's name (`data-testid=pay`), `field` its name attribute, `path` its ancestors from the
    inside out, `around` the text of the row, card or form that it stands in.
    `unique` says which of its own features no other element of the page has, `css` is a path that finds it and nothing else.
    """

    tag: str = ""
    role: str = ""
    name: str = ""
    test: str = ""
    id: str = ""
    field: str = ""
    type: str = ""
    href: str = ""
    placeholder: str = ""
    alt: str = ""
    title: str = ""
    text: str = ""
    classes: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    rect: tuple[int, ...] = ()
    around: str = ""
    before: str = ""
    after: str = ""
    unique: tuple[str, ...] = ()
    css: str = ""
    hidden: bool = False
    same: bool = False
    """It is the very element that was healthy."""
    known: bool = False
    """It was there before, beside the element."""
    found: bool = False
    """The selector finds it now."""


NOTHING = Fingerprint()
