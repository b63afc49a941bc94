"""Shades of a colour for dark pages."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls

from matplotlib.colors import to_hex, to_rgb

CARD = "#1b1f23"  # behind figures on dark pages, as the style sheet has it
LEAST_CONTRAST = 4.5  # of text by WCAG 2.2; lines and marks, for which 3 is enough, share it
TINT = 0.5  # luminance above which a colour is a tint behind others
STEP = 0.02


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour in hex, from 0 to 1 (WCAG 2.2)."""
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def dark_shade(colour: str) -> str:
    """Return a colour in hex for dark pages: the same hue, as light as it must be to be seen.

    A tint, which lies behind what is drawn, is as far from the dark page as from a white one.
    """
    hue, light, saturation = rgb_to_hls(*to_rgb(colour))
    if luminance(colour) > TINT:
        _, of_card, _ = rgb_to_hls(*to_rgb(CARD))
        return to_hex(hls_to_rgb(hue, of_card + 1 - light, saturation / 2))
    while contrast(to_hex(hls_to_rgb(hue, light, saturation)), CARD) < LEAST_CONTRAST:
        light += STEP
    return to_hex(hls_to_rgb(hue, light, saturation))
